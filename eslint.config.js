/**
 * What holds of the dialogs alone, and of programs without types. The rules
 * for everything else are in oxlint.config.mjs.
 */
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  { ignores: ['dist/', 'data/'] },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [eslint.configs.recommended],
    languageOptions: { globals: { console: 'readonly', fetch: 'readonly', process: 'readonly' } },
  },
  {
    files: ['dialogs/**/*.ts'],
    languageOptions: { parser: tseslint.parser },
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
);
