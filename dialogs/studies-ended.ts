/** What becomes of the card when the studies are over (T10). The guidance asks for one thing: see it destroyed (R49). */
import { outcomes, vocabulary } from './vocabulary.ts';

export const studiesEnded = vocabulary.createStateConfig({
  id: 'studies-ended',
  initial: 'destroyCard',
  states: outcomes('studies-ended', 'destroyCard'),
});
