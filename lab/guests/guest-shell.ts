/** What the commands of a guest can see. */
export interface ShellView {
  readonly hostname: string;
  readonly files: ReadonlyMap<string, { readonly content: Buffer }>;
  readonly bootedAt: Date;
}

export interface CommandResult {
  readonly stdout: Buffer | string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Runs one of the few commands that a guest knows; every other one fails as a shell says it, with exit code 127. */
export function runCommand(command: string, view: ShellView): CommandResult {
  const words = command.trim().split(/\s+/);
  if (words[0] === 'cat' && words.length > 1) return cat(words.slice(1), view.files);
  switch (words.join(' ')) {
    case 'true':
      return success('');
    case 'hostname':
      return success(`${view.hostname}\n`);
    case 'uptime':
      return success(uptime(view.bootedAt));
    case 'cloud-init status --wait':
      return success('\nstatus: done\n');
    default:
      return { stdout: '', stderr: `bash: line 1: ${words[0]}: command not found\n`, exitCode: 127 };
  }
}

function success(stdout: Buffer | string): CommandResult {
  return { stdout, stderr: '', exitCode: 0 };
}

function cat(paths: readonly string[], files: ShellView['files']): CommandResult {
  const missing = paths.filter((path) => !files.has(path));
  return {
    stdout: Buffer.concat(paths.flatMap((path) => files.get(path)?.content ?? [])),
    stderr: missing.map((path) => `cat: ${path}: No such file or directory\n`).join(''),
    exitCode: missing.length === 0 ? 0 : 1,
  };
}

function uptime(bootedAt: Date): string {
  const now = new Date();
  const minutes = Math.floor((now.getTime() - bootedAt.getTime()) / 60_000);
  return ` ${now.toTimeString().slice(0, 8)} up ${minutes} min,  0 users,  load average: 0.00, 0.00, 0.00\n`;
}
