import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Document } from 'yaml';
import { LineCounter, isNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { FaultSpec } from './fault-spec.ts';
import { parseFault } from './fault-spec.ts';
import type { LabOptions } from './start-pool.ts';
import type { ScenarioText } from './scenario-schema.ts';
import { scenarioSchema } from './scenario-schema.ts';
import { poolsOf } from './scenario-pools.ts';

const shippedFolder = fileURLToPath(new URL('./scenarios/', import.meta.url));

/** A scenario that cannot be used: what is wrong, where, and what to do, for a person. */
export class ScenarioTrouble extends Error {
  override readonly name = 'ScenarioTrouble';
}

export interface Scenario {
  readonly description: string;
  readonly options: LabOptions;
  /** Planned as soon as the lab is up. */
  readonly faults: readonly FaultSpec[];
}

type Path = readonly PropertyKey[];

/** Names of the scenarios that come with the lab. */
export function shippedScenarios(): string[] {
  return readdirSync(shippedFolder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();
}

/** Reads a scenario by the name of a shipped one or by the path of a file. Throws ScenarioTrouble. */
export function readScenario(nameOrPath: string): Scenario {
  const isShipped = shippedScenarios().includes(nameOrPath);
  const path = isShipped ? join(shippedFolder, `${nameOrPath}.yaml`) : nameOrPath;
  return parseScenario(textOf(path), path);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new ScenarioTrouble(
      `The scenario ${path} cannot be read: ${why}. Give the path of a YAML file, or one of: ${shippedScenarios().join(', ')}.`,
    );
  }
}

/** `file` is for what is said when something is wrong. Throws ScenarioTrouble. */
export function parseScenario(text: string, file: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) throw trouble(file, [broken.message]);
  const place = (path: Path) => `line ${lineOf(document, lines, path)}, ${textOfPath(path)}`;
  const parsed = scenarioSchema.safeParse(document.toJS());
  if (!parsed.success)
    throw trouble(
      file,
      problemsOf(parsed.error, document).map(([path, why]) => `${place(path)}: ${why}`),
    );
  const problems: string[] = [];
  const pools = poolsOf(parsed.data, (path, message) => problems.push(`${place(path)}: ${message}`));
  if (problems.length > 0) throw trouble(file, problems);
  return scenarioOf(parsed.data, pools);
}

function scenarioOf(text: ScenarioText, pools: LabOptions['pools']): Scenario {
  const { description, faults, pools: _texts, latency, ...options } = text;
  return { description, options: { ...options, latencies: latency, pools }, faults };
}

function trouble(file: string, problems: readonly string[]): ScenarioTrouble {
  const lines = problems.map((problem) => `  ${problem}`);
  return new ScenarioTrouble(
    [`The scenario ${file} cannot be used; no lab was started.`, ...lines, 'The format is in docs/lab.md.'].join('\n'),
  );
}

/** What is wrong at which path; faults say it themselves. */
function problemsOf(error: z.ZodError, document: Document): [Path, string][] {
  return error.issues.flatMap((issue): [Path, string][] => {
    const { path, message } = issue;
    if (path[0] === 'faults' && path.length > 1) {
      const node: unknown = document.getIn(path.slice(0, 2));
      const given = parseFault(isNode(node) ? node.toJS(document) : node);
      return 'problems' in given ? given.problems.map((problem) => [path.slice(0, 2), problem]) : [];
    }
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [[...path, key], unknownField(path)]);
    return [[path, message]];
  });
}

const unknownField = (path: Path): string => {
  const known = fieldsAt(path);
  return `unknown; here one can say ${known.join(', ')}`;
};

/** The fields that the schema has at a path of the file. */
function fieldsAt(path: Path): string[] {
  let schema: unknown = scenarioSchema;
  for (const key of path) {
    const { shape, element } = bare(schema);
    schema = typeof key === 'number' ? element : shape?.[String(key)];
  }
  return Object.keys(bare(schema).shape ?? {});
}

interface Bare {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
}

/** Without what makes it optional. */
function bare(schema: unknown): Bare {
  const { def } = schema as { def: { innerType?: unknown } };
  return def.innerType === undefined ? (schema as Bare) : bare(def.innerType);
}

/** The line of the innermost thing on the path that is in the file, from 1. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** `pools[0].hosts[1].cpus` */
function textOfPath(path: Path): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}
