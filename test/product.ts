/** The product as it is, for the tests: its own content, and the model of it that `npm run build` keeps. */
import { join } from 'node:path';
import { createCalendar } from '../src/calendar.ts';
import { type Content, createContent, readFiles } from '../src/content.ts';
import { modelFor } from '../src/understanding/model-file.ts';
import { createUnderstanding, lessonsOf, type Understanding } from '../src/understanding/understanding.ts';

export const root = join(import.meta.dirname, '..');
export const contentFolder = join(root, 'content');

export const content: Content = createContent(readFiles(contentFolder).reading);
export const calendar = createCalendar(content.offices);

export function readUnderstanding(): Understanding {
  return createUnderstanding(content, modelFor(join(root, 'dist/model.bin'), lessonsOf(content)));
}

/** What the least of a deployment sets. */
export const production = {
  NODE_ENV: 'production',
  KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se',
  KORTLOTSEN_RETENTION_DAYS: '365',
  KORTLOTSEN_RETENTION_DECISION: 'beslut 2026-01',
};
