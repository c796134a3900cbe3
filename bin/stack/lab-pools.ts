import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { StackTrouble } from './trouble.ts';

/** In-process guests of the lab answer on addresses of their own; a port above 1024 needs no root. */
const guestSshPort = 2222;

const labReadySchema = z.looseObject({
  controlUrl: z.url(),
  pools: z.array(
    z.looseObject({
      id: z.string().regex(/^[a-z0-9-]+$/),
      hostAddresses: z.array(z.ipv4()),
      port: z.number().int(),
      user: z.string(),
      password: z.string(),
      certificateFingerprints: z.array(z.string()).readonly(),
    }),
  ),
});

export type LabReady = z.infer<typeof labReadySchema>;

/** @throws StackTrouble when the lab's ready line does not say which pools it has */
export function labReadyFrom(line: unknown): LabReady {
  const parsed = labReadySchema.safeParse(line);
  if (parsed.success) return parsed.data;
  throw new StackTrouble(`The lab's ready line is not understood: ${z.prettifyError(parsed.error)}`);
}

/**
 * Writes the configuration of the lab's pools as an operator would write it for real ones: passwords go to files of
 * their own.
 * @returns the path of the configuration file
 */
export function writePoolsFile(stateDir: string, lab: LabReady): string {
  const pools = lab.pools.map(({ id, hostAddresses, port, user, password, certificateFingerprints: pins }) => {
    const passwordFile = join(stateDir, 'secrets', `${id}-password`);
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    const tls = pins.length === 0 ? { mode: 'none' } : { mode: 'pinned', sha256Fingerprints: pins };
    return { id, addresses: hostAddresses, port, tls, user, passwordFile, guestSshPort };
  });
  const path = join(stateDir, 'switchboard.yaml');
  writeFileSync(path, `# The lab's pools; written anew at every start.\n${stringify({ pools })}`, { mode: 0o600 });
  return path;
}
