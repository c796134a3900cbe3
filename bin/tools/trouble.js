/**
 * A failure that is told to a person in one sentence, with the command that would cure it. The launcher prints the
 * message alone; every other error is a defect of the launcher and keeps its stack.
 */
export class Trouble extends Error {}

/**
 * One line on standard error, so that standard output stays free for what a verb is asked to print.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`${line}\n`);
}
