/**
 * “Påminn mig” and “sluta påminna mig”: what somebody wants to be reminded of
 * is their own cards, so it is a person who wants it, on whichever channel, and
 * not a conversation. Whoever asked for it here may stop it here without
 * proving anew who they are, unless they have signed out since.
 */
import { provedPerson, provingAgain, provingBy } from './proving.ts';
import { type Context, type Now, outcomes, vocabulary } from './vocabulary.ts';

const starts = [
  { type: 'wantReminders', params: ({ context }: Now) => ({ person: provedPerson(context) }) },
  { type: 'noteReminding', params: ({ context }: Now) => ({ remindedHere: provedPerson(context) }) },
] as const;

const stops = [
  { type: 'stopReminders', params: ({ context }: Now) => ({ person: knownPerson(context) }) },
  { type: 'noteReminding', params: { remindedHere: undefined } },
] as const;

export const reminding = vocabulary.createStateConfig({
  id: 'reminders',
  entry: { type: 'openPath', params: 'reminders' },
  initial: 'asked',
  states: {
    asked: { always: [{ guard: stopsWhatIsWantedHere, target: 'unwanted', actions: stops }, { target: 'proving' }] },
    ...provingBy({ isFresh: false }),
    // Whose they are is enough: which cards there are, is asked when there may be something to say.
    findingCards: {
      always: [
        provingAgain,
        { guard: isToStop, target: 'unwanted', actions: stops },
        { target: 'wanted', actions: starts },
      ],
    },
    ...outcomes('reminders', 'notIdentified', 'wanted', 'unwanted'),
  },
});

function isToStop({ context }: Now): boolean {
  return context.remindingWish === 'stop';
}

function stopsWhatIsWantedHere(now: Now): boolean {
  const { identity, remindedHere } = now.context;
  return isToStop(now) && remindedHere !== undefined && (identity === undefined || identity.person === remindedHere);
}

function knownPerson(context: Context): string {
  return context.identity ? provedPerson(context) : (context.remindedHere ?? provedPerson(context));
}
