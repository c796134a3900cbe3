import type { Exchange } from './recording.ts';

/** A reason for which an answer may differ, and how both sides read once the differing part is taken out. */
export interface Rule {
  readonly id: string;
  readonly why: string;
  readonly appliesTo: (exchange: Exchange) => boolean;
  readonly without: (text: string) => string;
}

const member = (name: string) => new RegExp(`<member><name>${name}</name>.*?(?=</member><member><name>[a-z]|$)`, 'g');

/** A field of a record up to the next one, in either encoding. */
const fields = (name: string, next: string): readonly RegExp[] => [
  new RegExp(`<name>${name}</name>.*?(?=<name>${next}<)`),
  new RegExp(`"${name}":.*?(?="${next}":)`),
];

const strip =
  (...patterns: readonly RegExp[]) =>
  (text: string): string =>
    patterns.reduce((stripped, pattern) => stripped.replace(pattern, ''), text);

const zeroMemory = /<name>memory_actual<\/name><value>0</;

export const rules: readonly Rule[] = [
  {
    id: 'R1',
    why: 'a poll of a running task finds it at another point of its progress',
    appliesTo: ({ sent, body }) =>
      /task\.get_(record|progress)/.test(sent) && !/"?status(":"|<\/name><value>)(s|f)/.test(body),
    without: strip(
      ...fields('allowed_operations', 'current_operations'),
      ...fields('finished', 'status'),
      ...fields('progress', 'type'),
      ...fields('other_config', 'subtask_of'),
      ...fields('subtasks', 'backtrace'),
      /(?<=<name>Value<\/name><value>)<double>[\d.]+/,
      /(?<="result":)[\d.]+/,
    ),
  },
  {
    id: 'R2',
    why: 'the wording of an exception inside of the daemon: its class has to be the same',
    appliesTo: ({ body }) => /INTERNAL_ERROR|Additional information/.test(body),
    without: (text) => text.replace(/\b([A-Z]\w*(?:\.\w+)*)\(.*?\)(?=<\/|"[,\]])/g, '$1(…)'),
  },
  {
    id: 'R3',
    why: 'the recording rig had no hypervisor: no memory in use, and copies of disks fail',
    appliesTo: ({ body }) => zeroMemory.test(body) || /Async\.VM\.copy<.*<name>subtask_of/.test(body),
    without: strip(
      /<name>memory_actual<\/name><value>\d+/g,
      /<name>result<\/name>.*?(?=<name>other_config)/,
      /<name>status<\/name><value>\w+/,
      member('subtasks'),
    ),
  },
  {
    id: 'R4',
    why: 'the recording rig had agents of its own in place of guests',
    appliesTo: ({ body }) => body.includes('<name>distro</name><value>rig</value>'),
    without: strip(/<name>os_version<\/name>.*?(?=<name>last_updated)/g, /<name>memory_actual<\/name><value>\d+/g),
  },
  {
    id: 'R5',
    why: 'a login over the daemon’s local socket, where any password is good; the lab listens on TCP only',
    appliesTo: ({ label, sent }) => label.startsWith('unix socket') && sent.includes('login_with_password'),
    without: () => '',
  },
  {
    id: 'R6',
    why: 'the recording rig had no monitor, so that no free memory of a host ever changed',
    appliesTo: ({ sent }) => /event\.(from|next)\b/.test(sent),
    without: strip(
      /<value><struct>(?:(?!<struct>).)*<name>class<\/name><value>host_metrics<.*?(?=<value><struct><member><name>id<|<\/data><\/array><\/value><\/member><member><name>valid_ref|$)/,
      /,?\{"id":"\d+","timestamp":"[\d.]+","class":"host_metrics".*?\}\}(?=,\{"id"|\])/,
    ),
  },
];
