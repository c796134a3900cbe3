import { readFileSync } from 'node:fs';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import { builtinRules } from 'eslint/use-at-your-own-risk';
import tseslint from 'typescript-eslint';

/**
 * The house rules that concern one file at a time. What concerns several files (who may import whom, names, barrels,
 * module state) is in test/architecture/. Each rule here has a planted violation in test/planted/lint.test.ts.
 */

/** Exempt from size and style; test/architecture keeps this list equal to the files that carry the header. */
const exemptions = new URL('test/architecture/generated-files.json', import.meta.url);
const generatedFiles = JSON.parse(readFileSync(exemptions, 'utf8'));

const MAX_FUNCTION_LINES = 70;
const MAX_FILE_LINES = 250;

/** A `describe` block is a chapter, not a function: everything else is counted, blank lines and comments included. */
const maxFunctionLines = {
  ...builtinRules.get('max-lines-per-function'),
  create(context) {
    const isChapter = (node) => node?.parent?.type === 'CallExpression' && /^describe\b/.test(callee(context, node));
    const report = (problem) => isChapter(problem.node) || context.report(problem);
    const view = Object.create(context, { report: { value: report } });
    return builtinRules.get('max-lines-per-function').create(view);
  },
};

function callee(context, node) {
  return context.sourceCode.getText(node.parent.callee);
}

/** A rule that somebody may switch off where it hurts is no rule. */
const noSuppression = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      found: 'No suppression of checks in the code ("{{text}}"): change the code, or the rule for everybody.',
    },
  },
  create(context) {
    const pattern =
      /(?:eslint-(?:disable|enable)|^\s*eslint\s|@ts-\w+|prettier-ignore|(?:istanbul|c8|v8) ignore)[\w-]*/;
    const check = (comment) => {
      const text = pattern.exec(comment.value)?.[0].trim();
      if (text !== undefined) context.report({ loc: comment.loc, messageId: 'found', data: { text } });
    };
    return { Program: () => context.sourceCode.getAllComments().forEach(check) };
  },
};

const house = { rules: { 'max-function-lines': maxFunctionLines, 'no-suppression': noSuppression } };

const ONLY_ADAPTER = 'Only one folder talks to this part of the outside';
const XEN_API = { regex: '^xen-api(/|$)', message: `${ONLY_ADAPTER}: adapters/xapi.` };
const SSH2 = { regex: '^ssh2(/|$)', message: `${ONLY_ADAPTER}: adapters/ssh.` };
const POSTGRES = { regex: '^(pg|kysely|node-pg-migrate)(/|$)', message: `${ONLY_ADAPTER}: adapters/postgres.` };
const ENVIRONMENT = { name: 'node:process', importNames: ['env'], message: 'Only bin/ reads the environment.' };

/** The packages that the files may not import. */
const without = (...patterns) => ({
  'no-restricted-imports': ['error', { paths: [ENVIRONMENT], patterns }],
});

/** The packages that the files may import; everything else, Node's own modules included, is refused. */
const withOnly = (packages, message) => {
  const allowed = packages.map((name) => `${name}(?:/|$)`).join('|');
  const pattern = `^(?!\\.${allowed === '' ? '' : `|${allowed}`})`;
  return without({ regex: pattern, message });
};

const PURE = 'Pure code: the caller gives the time and every other fact';
const CLOCK_AND_CHANCE = [
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: `${PURE}.` },
  { selector: 'MemberExpression[object.name="Date"][property.name="now"]', message: `${PURE}.` },
  { selector: 'MemberExpression[object.name="Math"][property.name="random"]', message: `${PURE}.` },
  { selector: 'MemberExpression[object.name="crypto"]', message: `${PURE}.` },
];
const NO_RACE = {
  selector: 'CallExpression[callee.object.name="Promise"][callee.property.name=/^(race|any)$/]',
  message: 'The loser of a race goes on unseen: use condition() or a CancellationScope.',
};
const OUTSIDE_SANDBOX = ['process', 'performance', 'Temporal', 'Buffer', 'fetch', 'setImmediate', 'WeakRef'];

const toolDemandsDefaultExport = [
  'jest.release.config.js',
  'jest.replay.config.js',
  'eslint.config.js',
  'jest.config.js',
  'test/support/closing-line-reporter.js',
  'test/support/global-{setup,teardown}.ts',
];

/** The ones that plain JavaScript may use (in TypeScript the compiler knows them). */
const nodeGlobals = Object.fromEntries(
  ['process', 'console', 'Buffer', 'URL', 'AbortController', 'AbortSignal', 'fetch', 'setTimeout', 'clearTimeout'].map(
    (name) => [name, 'readonly'],
  ),
);

const inSource = ['**/*.ts'];
const outsideBin = ['domain', 'workflows', 'activities', 'adapters', 'api', 'cli', 'lab', 'bench'].map(
  (f) => `${f}/**`,
);

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.switchboard/', ...generatedFiles]),
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' } },
  js.configs.recommended,
  {
    files: inSource,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/ban-ts-comment': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-invalid-void-type': ['error', { allowAsThisParameter: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    plugins: { house },
    rules: {
      eqeqeq: 'error',
      'house/no-suppression': 'error',
      'house/max-function-lines': ['error', { max: MAX_FUNCTION_LINES, skipBlankLines: false, skipComments: false }],
      'max-lines': ['error', { max: MAX_FILE_LINES, skipBlankLines: false, skipComments: false }],
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
    },
  },
  { files: toolDemandsDefaultExport, rules: { 'no-restricted-exports': 'off' } },
  { files: ['**/*.js', '**/*.mjs'], languageOptions: { globals: nodeGlobals } },
  {
    files: outsideBin,
    rules: {
      ...without(XEN_API, SSH2, POSTGRES),
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only bin/ reads the environment; take the value as an argument.',
        },
      ],
    },
  },
  { files: ['adapters/xapi/**'], rules: without(SSH2, POSTGRES) },
  { files: ['adapters/ssh/**'], rules: without(XEN_API, POSTGRES) },
  { files: ['adapters/postgres/**'], rules: without(XEN_API, SSH2) },
  { files: ['lab/guests/**'], rules: without(XEN_API, POSTGRES) },
  { files: ['bench/**'], rules: without(POSTGRES) },
  {
    files: ['bin/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [XEN_API, SSH2] }] },
  },
  {
    files: ['domain/**'],
    rules: {
      ...withOnly(['zod', 'yaml', 'rrule-temporal', 'temporal-polyfill'], `${PURE}: no I/O, no Node built-ins.`),
      'no-restricted-globals': ['error', 'process', 'performance', 'setTimeout', 'setInterval', 'fetch'],
      'no-restricted-syntax': ['error', ...CLOCK_AND_CHANCE],
    },
  },
  {
    files: ['workflows/**'],
    rules: {
      ...withOnly(
        ['@temporalio/workflow', '@temporalio/common'],
        'Workflows run in the sandbox: @temporalio/workflow only.',
      ),
      'no-restricted-globals': ['error', ...OUTSIDE_SANDBOX],
      'no-restricted-syntax': ['error', NO_RACE],
    },
  },
  {
    files: ['cli/**'],
    rules: without(XEN_API, SSH2, POSTGRES, { regex: '^@temporalio/', message: 'The CLI speaks HTTP.' }),
  },
);
