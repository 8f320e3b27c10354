/** What the compiler does not see, and a reviewer should not have to. */
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'data/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: [
            'eslint.config.js',
            'src/build.mjs',
            'test/order.mjs',
            'test/faults/clock.mjs',
            'src/servicedesk/example/agent-hub.mjs',
          ],
        },
      },
    },
    rules: {
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['dialogs/**'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'crypto', 'performance'],
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!xstate$|\\./)', message: 'The dialogs are pure.' }] },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time arrives with the event.' },
        {
          selector: 'MemberExpression[property.name=/^(now|random)$/]',
          message: 'Time and chance arrive with the event.',
        },
        {
          selector: 'Literal[value=/[åäö]/i], TemplateElement[value.raw=/[åäö]/i]',
          message: 'Swedish is written in content/.',
        },
      ],
    },
  },
  {
    // Somebody else's program, to be read and run as it is.
    files: ['src/servicedesk/example/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { console: 'readonly', fetch: 'readonly', process: 'readonly' } },
    rules: { 'no-console': 'off' },
  },
  { files: ['eslint.config.js', '**/*.d.ts'], rules: { 'no-restricted-exports': 'off' } },
);
