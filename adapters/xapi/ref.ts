/** A reference as XAPI hands it out, `OpaqueRef:<uuid>`; `C` is the class in XAPI's own letter case. */
export type Ref<C extends string> = string & { readonly __class?: C };
