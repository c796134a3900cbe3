export interface LabCall {
  /** As sent: `Async.VM.clone`. */
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface WorldChange {
  readonly cls: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
}

/** A call that a barrier holds: its task is pending. */
export interface HeldCall {
  readonly method: string;
  readonly taskRef: string;
}

/** The lab's control port, as somebody who rehearses uses it. */
export class LabClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async snapshot(): Promise<string> {
    return (await this.#ask<{ id: string }>('POST', '/snapshots', {})).id;
  }

  async diff(snapshot: string): Promise<WorldChange[]> {
    return this.#ask<WorldChange[]>('GET', `/snapshots/${snapshot}/diff`);
  }

  /** Holds the task of a call before its effect, until released. */
  async holdBeforeEffect(method: string): Promise<string> {
    return (await this.#ask<{ id: string }>('POST', '/barriers', { method, at: 'before-effect' })).id;
  }

  /** Waits until a call is held there. */
  async held(barrier: string): Promise<HeldCall> {
    for (;;) {
      const { held } = await this.#ask<{ held?: HeldCall }>('GET', `/barriers/${barrier}?wait=5`);
      if (held !== undefined) return held;
    }
  }

  async release(barrier: string): Promise<void> {
    await this.#ask('POST', `/barriers/${barrier}/release`, {});
  }

  async calls(method: string): Promise<LabCall[]> {
    return this.#ask<LabCall[]>('GET', `/calls?method=${method}`);
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`lab: ${method} ${path} answered ${response.status}: ${await response.text()}`);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
