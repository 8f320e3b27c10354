/**
 * Whether it helped, asked once, when it is over. A no is learned from.
 *
 * It is asked where the talk is, and moves nobody: whoever writes something
 * else instead has been asked, and is not asked again.
 */
import { type Now, say } from './vocabulary.ts';

export const asking = [{ type: 'rate', params: 'asked' }, say('conversation/didItHelp')] as const;
export const answered = { type: 'rate', params: 'done' } as const;

/** Something was wanted, and it has not been asked before. */
export function isUnrated({ context: { wish, rating } }: Now): boolean {
  return wish !== undefined && rating === undefined;
}

/** Nor is anything left to go on with. */
export function isOver(now: Now): boolean {
  return isUnrated(now) && now.context.path === undefined && now.context.left === undefined;
}

export function isBeingRated({ context: { path, rating } }: Now): boolean {
  return rating === 'asked' && path === undefined;
}
