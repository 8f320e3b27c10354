/** The guided path for a card that expires (T9). A new one is asked for eight weeks before, at the latest (R17). */
import { isTooLateToRenewInTime } from './card-validity.ts';
import { dayOf, knows, type Now, outcomes, spanOf, vocabulary } from './vocabulary.ts';

export const renewal = vocabulary.createStateConfig({
  id: 'renewal',
  entry: { type: 'openPath', params: 'renewal' },
  initial: 'askingExpiresOn',
  states: {
    askingExpiresOn: {
      meta: { asks: 'expiresOn' },
      always: [
        { guard: knows({ expiresOn: 'unknown' }), target: 'expiryUnknown' },
        { guard: cardHasExpired, target: 'hasExpired' },
        { guard: cardExpiresSoon, target: 'expiresSoon' },
        { guard: cardExpiresLater, target: 'canRenewInTime' },
        { guard: knows({ hasExpired: true }), target: 'hasExpired' },
      ],
    },
    ...outcomes('renewal', 'expiryUnknown', 'hasExpired', 'expiresSoon', 'canRenewInTime'),
  },
});

function cardHasExpired({ context: { known }, event }: Now): boolean {
  const expires = spanOf(known.expiresOn);
  return expires !== undefined && expires.to < dayOf(event);
}

/** The earliest day it may expire is the one to act on. */
function cardExpiresSoon({ context: { known }, event }: Now): boolean {
  const expires = spanOf(known.expiresOn);
  return expires !== undefined && isTooLateToRenewInTime(expires.from, dayOf(event));
}

function cardExpiresLater({ context: { known } }: Now): boolean {
  return spanOf(known.expiresOn) !== undefined;
}
