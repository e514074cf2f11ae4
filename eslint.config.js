import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const processEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'The environment is read once, in src/config; take what you need from Environment.',
};
const localTime = {
  selector: "CallExpression[callee.property.name=/^(get|set)(FullYear|Month|Date|Day|Hours|Minutes|Seconds|TimezoneOffset)$|^to(Locale)?(Date|Time)String$/]",
  message: 'Local time differs from machine to machine: use the UTC methods, toISOString() or milliseconds.',
};
const dateOfParts = {
  selector: "NewExpression[callee.name='Date'][arguments.length>1]",
  message: 'Date of parts is local time: use Date.UTC().',
};
const only = {
  selector: "MemberExpression[object.name=/^(it|describe|context|specify)$/][property.name=/^(only|skip)$/]",
  message: 'Every test runs, always: no .only and no .skip.',
};
const pendingTest = {
  selector: "CallExpression[callee.name=/^(it|specify)$/][arguments.length=1]",
  message: 'A test without a body tests nothing.',
};
const crossed = {
  selector: "CallExpression[callee.name=/^x(it|describe|context|specify)$/]",
  message: 'Every test runs, always.',
};
const skipInside = {
  selector: "CallExpression[callee.object.type='ThisExpression'][callee.property.name='skip']",
  message: 'What needs a part that is missing fails; it does not skip.',
};

export default defineConfig(
  globalIgnores(['generated/', 'sdk-sets/', 'examples/field-notes/', 'examples/tide-times/', 'dist/', 'coverage/', '.hivesync/', '.scratch/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true } },
  {
    files: ['**/*.{ts,js,mjs,cjs}'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'no-restricted-syntax': ['error', processEnv, localTime, dateOfParts],
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'no-else-return': 'error',
      'no-useless-catch': 'error',
      'no-unsafe-finally': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': true }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-array-delete': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-implied-eval': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unsafe-call': 'error',
      '@typescript-eslint/no-unsafe-member-access': 'error',
      '@typescript-eslint/no-unsafe-return': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      '@typescript-eslint/only-throw-error': 'error',
      // The reason of an AbortSignal is any, and the right thing to reject with.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
      '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: true }],
      '@typescript-eslint/restrict-plus-operands': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
    },
  },
  {
    files: ['src/**'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ regex: '^(\\.\\./){2,}', message: 'No climb of more than one level: use an alias (#platform/…, #domains/…).' }],
      }],
    },
  },
  {
    // One process, one environment: it is read here, or handed over whole by an entry point.
    files: ['src/config/**', 'src/{api,worker,main,migrate}.ts', 'codegen/**', 'bench/**'],
    rules: { 'no-restricted-syntax': ['error', localTime, dateOfParts] },
  },
  {
    files: ['test/**'],
    rules: {
      'no-restricted-syntax': ['error', localTime, dateOfParts, only, pendingTest, crossed, skipInside],
      '@typescript-eslint/require-array-sort-compare': 'off',
    },
  },
  {
    // Lines that the compiler has to refuse: each says what of it is wrong.
    files: ['test/**/*.types.ts'],
    rules: { '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description', minimumDescriptionLength: 5 }] },
  },
);
