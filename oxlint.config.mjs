/**
 * What the compiler does not see, and a reviewer should not have to: the rules
 * of typescript-eslint, as strict as they come, checked by oxlint on the native
 * compiler, which takes seconds where eslint took two minutes. What concerns
 * the dialogs alone is in eslint.config.js.
 */
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Not in oxlint: the first cannot be written in a module, and the second concerns `any`, which nobody may write. */
const MISSING = new Set(['no-octal', '@typescript-eslint/no-unsafe-class-instance-assignment']);

const presets = [
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
];
const presetRules = Object.assign({}, ...presets.map(({ rules }) => rules));
const rulesFor = (rules) =>
  Object.fromEntries(
    Object.entries(rules)
      .filter(([name, setting]) => setting !== 'off' && !MISSING.has(name))
      .map(([name, setting]) => [name.replace('@typescript-eslint/', 'typescript/'), setting]),
  );

export default {
  plugins: ['typescript'],
  categories: { correctness: 'off' },
  options: { typeAware: true },
  // Programs without types are for eslint.
  ignorePatterns: ['dist/', 'data/', '**/*.mjs', '**/*.js'],
  rules: {
    ...rulesFor(presetRules),
    'no-console': 'error',
    'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    'typescript/consistent-type-definitions': ['error', 'type'],
    'typescript/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    'typescript/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    'typescript/restrict-template-expressions': ['error', { allowNumber: true }],
  },
  overrides: [{ files: ['**/*.d.ts'], rules: { 'no-restricted-exports': 'off' } }],
};
