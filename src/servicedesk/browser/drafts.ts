/// <reference lib="dom" />
/**
 * What an agent has begun to write, by case, and what is on its way.
 *
 * It is in the browser's local storage: a draft that is gone with a tab that
 * was closed by mistake, or with the browser, would have to be written again
 * while a student waits. An agent's computer is their own, and nothing is left
 * there when they sign out, nor of somebody else's when another signs in.
 */
import * as z from 'zod/mini';

const Message = z.object({ key: z.string(), text: z.string(), cites: z.array(z.string()), seen: z.number() });
const Draft = z.object({ text: z.string(), cites: z.array(z.string()), sending: z.array(Message) });
export type Draft = z.infer<typeof Draft>;

export type Drafts = {
  read: (id: string) => Draft;
  keep: (id: string, draft: Draft) => void;
  /** The cases that something is kept of. */
  kept: () => string[];
  clear: () => void;
};

const ALL = 'kortlotsen-servicedesk/';
export const NOTHING_WRITTEN: Draft = { text: '', cites: [], sending: [] };

export function createDrafts(agent: string): Drafts {
  const own = `${ALL}${agent}/`;
  const keys = (start: string) => Object.keys(localStorage).filter((key) => key.startsWith(start));
  for (const key of keys(ALL)) if (!key.startsWith(own)) localStorage.removeItem(key);

  return {
    read(id) {
      try {
        return Draft.parse(JSON.parse(localStorage.getItem(own + id) ?? ''));
      } catch {
        return NOTHING_WRITTEN;
      }
    },
    keep(id, draft) {
      if (draft.text === '' && draft.sending.length === 0) localStorage.removeItem(own + id);
      else localStorage.setItem(own + id, JSON.stringify(draft));
    },
    kept: () => keys(own).map((key) => key.slice(own.length)),
    clear() {
      for (const key of keys(ALL)) localStorage.removeItem(key);
    },
  };
}
