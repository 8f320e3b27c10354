/** Its own types are of an ES module, and it is none. */
declare module 'canonicalize' {
  function canonicalize(value: unknown): string | undefined;
  export = canonicalize;
}
