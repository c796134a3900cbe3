/** A failure as the API answers it: an official code with its parameters (their meaning per code is in the data model). */
export class XapiError extends Error {
  readonly code: string;
  readonly params: readonly string[];
  constructor(code: string, ...params: readonly string[]) {
    super([code, ...params].join(', '));
    this.code = code;
    this.params = params;
  }

  get description(): readonly string[] {
    return [this.code, ...this.params];
  }
}

export const handleInvalid = (cls: string, ref: string): XapiError => new XapiError('HANDLE_INVALID', cls, ref);

/** An OCaml exception that reached the dispatcher; `text` is shown as OCaml prints the exception. */
export const internalError = (text: string): XapiError => new XapiError('INTERNAL_ERROR', text);
export const ocamlFailure = (text: string): XapiError => internalError(`Failure("${text}")`);
