import './global-setup.ts';

async function globalTeardown(): Promise<void> {
  await globalThis.switchboardTestStack?.stop();
}

/** Jest asks for a default export. */
export { globalTeardown as default };
