import type { Io } from '../../../cli/io.ts';
import { TOKEN } from '../../api/support/rig.ts';
import type { ApiProcess } from './processes.ts';

const noLab = () => Promise.reject(new Error('this test starts no lab'));

/** The surroundings of a command line inside the test's own process, for what a pipe cannot show. */
export function ioFor(api: ApiProcess, parts: Partial<Io>): Io {
  return {
    out: () => undefined,
    err: () => undefined,
    terminal: undefined,
    color: false,
    ask: undefined,
    readStdin: () => '',
    readSecret: () => TOKEN,
    lab: { start: noLab, find: () => undefined, stop: noLab },
    settings: {
      url: api.url,
      token: TOKEN,
      tokenFile: undefined,
      profile: undefined,
      configFile: '/nowhere/config.yaml',
      localTokenFile: '/nowhere/token',
    },
    version: '0.0.0',
    interrupted: new AbortController().signal,
    ...parts,
  };
}
