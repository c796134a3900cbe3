import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const service = z.looseObject({
  image: z.string().optional(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  restart: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});

const composeFile = z.looseObject({
  services: z.record(z.string(), service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

export type Service = z.output<typeof service>;
export type ComposeFile = z.output<typeof composeFile>;

/** docker-compose.yml as it is written, its shared parts merged in, its variables not replaced. */
export function readCompose(root: string): ComposeFile {
  return parseCompose(readFileSync(join(root, 'docker-compose.yml'), 'utf8'));
}

export function parseCompose(text: string): ComposeFile {
  return composeFile.parse(parse(text, { merge: true }));
}
