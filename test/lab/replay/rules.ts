import type { Exchange } from './recording.ts';

/** A reason for which an answer may differ, and how both sides read once the differing part is taken out. */
export interface Rule {
  readonly id: string;
  readonly why: string;
  readonly appliesTo: (exchange: Exchange) => boolean;
  readonly without: (text: string) => string;
}

const member = (name: string) => new RegExp(`<member><name>${name}</name>.*?(?=</member><member><name>[a-z]|$)`, 'g');

const strip =
  (...patterns: readonly RegExp[]) =>
  (text: string): string =>
    patterns.reduce((stripped, pattern) => stripped.replace(pattern, ''), text);

export const rules: readonly Rule[] = [
  {
    id: 'R1',
    why: 'a poll of a running task finds it at another point of its progress',
    appliesTo: ({ label, body }) =>
      label.startsWith('poll ') && body.includes('<name>status</name><value>pending</value>'),
    without: strip(
      /<name>allowed_operations<\/name>.*?(?=<name>current_operations)/,
      /<name>finished<\/name>.*?(?=<name>status)/,
      /<name>progress<\/name>.*?(?=<name>type)/,
      /<name>other_config<\/name>.*?(?=<name>subtask_of)/,
      /<name>subtasks<\/name>.*?(?=<name>backtrace)/,
    ),
  },
  {
    id: 'R2',
    why: 'the wording of a JSON parser about text that is no JSON',
    appliesTo: ({ body }) => body.includes('Yojson__Common.Json_error'),
    without: strip(/Json_error\(.*/s),
  },
  {
    id: 'R3',
    why: 'what the recording rig had in place of a hypervisor and of guests: no memory in use, agents of its own, copies that fail',
    appliesTo: ({ n }) => [841, 851, 954, 955, 956].includes(n),
    without: strip(
      /<name>memory_actual<\/name><value>\d+/g,
      /<name>os_version<\/name>.*?(?=<name>last_updated)/,
      /<name>result<\/name>.*?(?=<name>other_config)/,
      /<name>status<\/name><value>\w+/,
      member('subtasks'),
    ),
  },
];

/** Answers that are known to be others, by the exchange's number. */
export const knownDifferences: Readonly<Record<number, string>> = {
  45: 'the recording came over the daemon’s local socket, where any password is good; the lab has no such socket',
  873: 'the daemon keeps a halted VM’s guest metrics until its next start; the lab drops them, so that a stopped VM is as it was',
  882: 'as 873, and the lab writes no snapshot_metadata',
  1077: 'the lab exports no VM metadata',
  1080: 'the lab exports no VM metadata',
  1083: 'the lab has no database dump',
};
