import { type Metadata, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { checkDelete, checkRead, checkTxnAccess, checkWrite } from '../auth/access.ts';
import { failures } from '../failure.ts';
import { type CompactionRequest, type DeleteRangeRequest, type PutRequest, type RangeRequest, type ResponseHeader, type TxnRequest } from '../messages.ts';
import { WIRE_BYTES } from '../protocol.ts';
import { answerRange } from '../store/range.ts';
import { applyDelete, applyPut, applyTxn, checkAppliable, goesThroughLog } from '../store/txn.ts';
import { checkKey, checkPut, checkTxn } from '../store/txn-check.ts';
import { MAX_REQUEST_BYTES, type ServerState } from './server-state.ts';
import { unary } from './unary.ts';

function checkSize(request: object): void {
  if (((request as { [WIRE_BYTES]?: number })[WIRE_BYTES] ?? 0) > MAX_REQUEST_BYTES) throw failures.requestTooLarge();
}

/** The KV service. */
export function kvService({ store, lessor, access, header }: ServerState): UntypedServiceImplementation {
  const complete = <T extends { header: ResponseHeader }>(response: T): T => ({ ...response, header: header(response.header.revision) });
  return {
    Range: unary((request: RangeRequest, metadata: Metadata) => {
      checkKey(request);
      const caller = access(metadata);
      if (caller) checkRead(caller, request);
      return complete(answerRange(store, request));
    }),
    Put: unary((request: PutRequest, metadata: Metadata) => {
      checkPut(request);
      const caller = access(metadata);
      checkSize(request);
      if (caller) checkWrite(caller, request, lessor);
      checkAppliable(store, request, lessor.has);
      return complete(store.write((writer) => applyPut(writer, request)));
    }),
    DeleteRange: unary((request: DeleteRangeRequest, metadata: Metadata) => {
      checkKey(request);
      const caller = access(metadata);
      checkSize(request);
      if (caller) checkDelete(caller, request);
      return complete(store.write((writer) => applyDelete(writer, request)));
    }),
    Txn: unary((request: TxnRequest, metadata: Metadata) => {
      checkTxn(request);
      const caller = access(metadata);
      checkSize(request);
      if (caller) checkTxnAccess(caller, request, lessor, goesThroughLog(request));
      return complete(applyTxn(store, request, lessor.has));
    }),
    Compact: unary((request: CompactionRequest, metadata: Metadata) => {
      access(metadata);
      const done = store.compact(Number(request.revision ?? 0));
      if (request.physical) return done.then(() => ({ header: header() }));
      // What could not be removed is removed at the next start.
      done.catch(() => {});
      return { header: header() };
    }),
  };
}
