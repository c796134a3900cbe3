import { say } from './trouble.js';
import { runInForeground } from './run.js';

/** Everything that is judged without running the product, the longest first. The cure is the command to type. */
const checks = [
  { name: 'lint', args: ['node_modules/eslint/bin/eslint.js', '.'], cure: 'npx eslint --fix .' },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'] },
  {
    name: 'format',
    args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
    cure: 'npx prettier --write .',
  },
  { name: 'unused code', args: ['node_modules/knip/bin/knip.js'] },
  { name: 'generated files', args: ['dist/bin/generate.js', '--check'], cure: 'node dist/bin/generate.js' },
  {
    name: "the lab's list of messages",
    args: ['dist/lab/messages-page.js', '--check'],
    cure: 'node dist/lab/messages-page.js',
  },
];

/**
 * Runs every check, so that one run names everything there is to correct; two side by side, since lint takes as long as
 * all others together.
 * @param {string} root folder of the project
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runChecks(root) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const waiting = [...checks];
  const takeTurns = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { name, args, cure } = check;
      const code = await runInForeground(process.execPath, args, { cwd: root });
      if (code === 0) counts.passed += 1;
      else counts.failed += 1;
      say(code === 0 ? `check: ${name} passed` : `check: ${name} FAILED; ${advice(args, cure)}`);
    }
  };
  await Promise.all([takeTurns(), takeTurns()]);
  return counts;
}

/**
 * @param {readonly string[]} args
 * @param {string | undefined} cure
 */
function advice(args, cure) {
  return cure === undefined ? `see it again with: node ${args.join(' ')}` : `most of it is cured by: ${cure}`;
}
