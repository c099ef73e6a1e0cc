// For services, the gateway and tools.
export { accessRules, type AccessRules, type MethodRule } from './access-rules.ts';
export { authClientMiddleware } from './client-middleware.ts';
export { type FindOptions, type KeySource, staticKeys } from './key-source.ts';
export { AUDIENCE, CALLER_KEY, EDGE_AUDIENCE, isPrivateKey, PASSPORT_KEY, PRIVATE_PREFIX, stripPrivateMetadata, TOKEN_ISSUER } from './names.ts';
export { type PublicKey } from './public-key.ts';
export { remoteKeys, type RemoteKeys, type RemoteKeysOptions } from './remote-keys.ts';
export { authServerMiddleware } from './server-middleware.ts';
export { generateServiceKey, loadServiceKey, serviceKeyFrom, type KeyPairJwks, type ServiceKey } from './service-key.ts';
export { serviceTokens, type ServiceTokens } from './service-tokens.ts';
export { createTokenExchange, type Exchanged, type TokenExchange, type TokenExchangeOptions } from './token-exchange.ts';
export { tokenVerifier, type VerifiedToken, type Verifier } from './verifier.ts';

// For auth-service, and for tests that stand in for it.
export { scopesOf } from './access-rules.ts';
export { generateTokenKey, PASSPORT_SECONDS, signAccessToken, signPassport, tokenKeyFrom, type TokenClaims, type TokenKey } from './customer-tokens.ts';
export { parseServiceKeys } from './service-key.ts';
export { type JWK } from 'jose';
