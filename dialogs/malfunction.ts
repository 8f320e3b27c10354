/**
 * The guided path for a card that does not work, and nobody knows why (T7).
 *
 * A malfunctioning card is to be revoked (R45), which cannot be undone. So
 * whatever can be mended is looked for first, the most likely cause first.
 */
import { areOldCertificatesDead, isIssuedBeforeChange } from './card-validity.ts';
import { dayOf, isTold, knows, type Now, outcomes, spanOf, vocabulary } from './vocabulary.ts';

/** Triage is over, so the reason is known: it is not asked for again. */
const beginRevocation = {
  target: '#lost-card.proving',
  actions: { type: 'learn', params: { reason: 'malfunction' } },
} as const;

export const malfunction = vocabulary.createStateConfig({
  id: 'malfunction',
  entry: { type: 'openPath', params: 'malfunction' },
  initial: 'askingWrongPin',
  states: {
    askingWrongPin: {
      meta: { asks: 'wrongPin' },
      always: [
        {
          guard: knows({ wrongPin: true }),
          target: '#pin-trouble',
          actions: { type: 'learn', params: { collectedCard: true } },
        },
        { guard: isTold('wrongPin'), target: 'askingSeveralCertificates' },
      ],
    },
    askingSeveralCertificates: {
      meta: { asks: 'severalCertificates' },
      always: [
        { guard: knows({ severalCertificates: true }), target: 'chooseCertificate' },
        { guard: isTold('severalCertificates'), target: 'askingHasOldCertificate' },
      ],
    },
    askingHasOldCertificate: {
      meta: { asks: 'hasOldCertificate' },
      always: [
        { guard: oldCertificatesStillLive, target: 'askingHasExpired' },
        { guard: certificateIsOld, target: 'certificateIsDead' },
        { guard: certificateIsNotOld, target: 'askingHasExpired' },
      ],
    },
    askingHasExpired: {
      meta: { asks: 'hasExpired' },
      always: [
        { guard: cardHasExpired, target: '#renewal.hasExpired' },
        { guard: expiryIsTold, target: 'shouldBeRevoked' },
      ],
    },
    ...outcomes('malfunction', 'chooseCertificate', 'certificateIsDead'),
    shouldBeRevoked: {
      ...outcomes('malfunction', 'shouldBeRevoked').shouldBeRevoked,
      on: { 'intent.revoke-how': beginRevocation },
    },
  },
});

function oldCertificatesStillLive({ event }: Now): boolean {
  return !areOldCertificatesDead(dayOf(event));
}

function certificateIsOld({ context: { known } }: Now): boolean {
  const issued = spanOf(known.issuedOn);
  if (known.hasOldCertificate !== undefined) return known.hasOldCertificate === true;
  return issued !== undefined && isIssuedBeforeChange(issued) && known.wasUpgraded === false;
}

/** Also when the student cannot say: then the next question is the better one. */
function certificateIsNotOld({ context: { known } }: Now): boolean {
  const issued = spanOf(known.issuedOn);
  return (
    known.hasOldCertificate !== undefined ||
    known.wasUpgraded === true ||
    (issued !== undefined && !isIssuedBeforeChange(issued))
  );
}

function cardHasExpired({ context: { known }, event }: Now): boolean {
  const expires = spanOf(known.expiresOn);
  return known.hasExpired === true || (expires !== undefined && expires.to < dayOf(event));
}

function expiryIsTold({ context: { known } }: Now): boolean {
  return known.hasExpired !== undefined || known.expiresOn !== undefined;
}
