/**
 * In which order the tests are run: first the files that take long, so that
 * neither worker is left alone with one of them at the end. Where nothing has
 * been run before, Jest itself would begin with the longest texts.
 */
import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';

/** Those that run the built product, or take every step there is: the longest first. */
const LONG = [
  'faults/storm',
  'faults/',
  'src/operations/deployment',
  'src/cli/serve',
  'readme',
  'src/cli/new-content',
  'browser/stock-page',
  'browser/',
  'dialogs/',
  'src/storage/embedded-postgres',
  'src/understanding/understanding',
  'src/cli/commands',
];

/** @typedef {{ path: string }} Test */

/** Jest asks for a class. */
class Order {
  /** @param {Test[]} tests */
  sort(tests) {
    const ranked = tests.map((test) => ({ test, rank: rankOf(test.path), size: statSync(test.path).size }));
    return ranked.sort((one, other) => one.rank - other.rank || other.size - one.size).map(({ test }) => test);
  }

  /**
   * For `jest --onlyFailures`: what failed is not kept, so it is all of them.
   *
   * @param {Test[]} tests
   */
  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {
    // As above.
  }
}

/** @param {string} path */
function rankOf(path) {
  const name = relative(import.meta.dirname, path).replaceAll(sep, '/');
  const rank = LONG.findIndex((beginning) => name.startsWith(beginning));
  return rank < 0 ? LONG.length : rank;
}

// Jest looks for it there.
export { Order as default };
