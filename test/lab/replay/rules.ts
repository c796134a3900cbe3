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

const zeroMemory = /<name>memory_actual<\/name><value>0</;

export const rules: readonly Rule[] = [
  {
    id: 'R1',
    why: 'a poll of a running task finds it at another point of its progress',
    appliesTo: ({ sent, body }) =>
      sent.includes('task.get_') && body.includes('<name>status</name><value>pending</value>'),
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
];
