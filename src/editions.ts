/**
 * The edition in service: what is said, and how what students write is
 * understood. Both are of one reading of the content, and are replaced at once.
 *
 * Whoever is given the content or the understanding from here is given what
 * stands for the one in service, whichever that is. A turn is taken without a
 * pause, so it has one edition from its first word to its last. What is made of
 * the content beyond a turn or a request is made anew for each edition
 * (`madeOnce`), and never kept from when a module was made.
 */
import type { Content } from './content.ts';
import type { Understanding } from './understanding/understanding.ts';

export type Edition = { content: Content; understanding: Understanding };

export type Editions = Edition & {
  /** From the next turn and the next request on, this one is in service, and of the one before nothing is left. */
  replace: (by: Edition) => void;
};

export function createEditions(first: Edition): Editions {
  let { content, understanding } = first;
  return {
    replace(by) {
      ({ content, understanding } = by);
    },
    content: {
      speak: (reply, on) => content.speak(reply, on),
      label: (line, facts) => content.label(line, facts),
      noteOf: (visit, opening) => content.noteOf(visit, opening),
      get sources() {
        return content.sources;
      },
      get visits() {
        return content.visits;
      },
      get lines() {
        return content.lines;
      },
      get rules() {
        return content.rules;
      },
      get taught() {
        return content.taught;
      },
      get borders() {
        return content.borders;
      },
      get synonyms() {
        return content.synonyms;
      },
      get offices() {
        return content.offices;
      },
      get masked() {
        return content.masked;
      },
      get answers() {
        return content.answers;
      },
      get dates() {
        return content.dates;
      },
    },
    understanding: {
      understand: (text) => understanding.understand(text),
      explain: (understood) => understanding.explain(understood),
      command: (text) => understanding.command(text),
      hear: (text, situation, today) => understanding.hear(text, situation, today),
    },
  };
}
