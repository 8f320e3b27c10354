/** What `content reload` and `content replay` need of the content, so that other commands can check it alone. */
import { differenceKinds } from '../conversations/replay.ts';

const RELOAD = ['heard', 'taken', 'refused', 'failed', 'silent', 'deaf', 'nobody'] as const;
export type ReloadText = (typeof RELOAD)[number];
export const reloadLabels = RELOAD.map((name) => `reload/${name}`);

const REPLAY = [
  'progress',
  'compared',
  'toHuman',
  'afterRequest',
  'nothing',
  'said',
  'begun',
  'times',
  'before',
  'after',
  'nothingSaid',
  'reworded',
  'rewordedLine',
  'personal',
] as const;
export const replayLabels = [...REPLAY, ...differenceKinds.map((kind) => `kind.${kind}`)].map(
  (name) => `replay/${name}`,
);
