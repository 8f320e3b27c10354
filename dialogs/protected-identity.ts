/**
 * For a student who says that their personal data are protected (R22).
 *
 * That they are is no fact to keep: it is answered, nothing is asked, and
 * whatever the chat was collecting is let go of.
 */
import { assign } from 'xstate';
import { vocabulary } from './vocabulary.ts';

export const protectedIdentity = vocabulary.createStateConfig({
  id: 'protected-identity',
  entry: assign({ known: {}, cards: [], proposal: undefined, path: undefined, left: undefined, isInterrupted: false }),
  initial: 'contactFirst',
  states: { contactFirst: {} },
});
