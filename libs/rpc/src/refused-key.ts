/** The trailer by which a server of ours says that it did not look at a call (and why): it may be made elsewhere, whatever it does. */
export const REFUSED_KEY = 'x-talaria-refused';
