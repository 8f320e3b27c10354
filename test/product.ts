/** The product as it is, for the tests: its own content, and the model of it that `npm run build` keeps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { createCalendar } from '../src/calendar.ts';
import { type Content, createContent, readFiles, type Reading } from '../src/content.ts';
import { modelFor } from '../src/understanding/model-file.ts';
import { createUnderstanding, lessonsOf, type Understanding } from '../src/understanding/understanding.ts';

export const root = join(import.meta.dirname, '..');
export const contentFolder = join(root, 'content');

/** As it was read before the first test; a bench reads it for itself. */
const { KORTLOTSEN_TEST_CONTENT: read } = process.env;
export const reading: Reading =
  read === undefined ? readFiles(contentFolder).reading : (deserialize(readFileSync(read)) as Reading);
export const content: Content = createContent(reading);
export const calendar = createCalendar(content);

export function readUnderstanding(): Understanding {
  return createUnderstanding(content, modelFor({ folders: [join(root, 'dist')], isOwn: true }, lessonsOf(content)));
}

/** What the least of a deployment sets. */
export const production = {
  NODE_ENV: 'production',
  KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se',
  KORTLOTSEN_RETENTION_DAYS: '365',
  KORTLOTSEN_RETENTION_DECISION: 'beslut 2026-01',
};
