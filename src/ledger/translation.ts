/** A card of the ledger, as the dialogs speak of it. */
import { createHash } from 'node:crypto';
import type { Card as DialogCard, Day, PhotoSite, Receipt as DialogReceipt } from '../../dialogs/card-validity.ts';
import { instantOf } from '../calendar.ts';
import { type Card, type Receipt, REGION_STOCKHOLM } from './cards.ts';
import type { Channel } from './ledger.ts';

export function toDialogCard(card: Card): DialogCard {
  const { id, ending, state } = card;
  const known = {
    id,
    ending,
    kind: card.kind === 'RESERVE' ? 'reserve' : 'ordinary',
    issuer: card.issuerOrg === REGION_STOCKHOLM ? 'stockholm' : 'other',
    orderedOn: card.orderedOn as Day,
  } as const;
  switch (state) {
    case 'ORDERED':
    case 'PHOTOGRAPHED':
    case 'IN_PRODUCTION':
    case 'LAPSED':
    case 'CANCELLED':
      return { ...known, state };
    case 'AWAITING_HANDOVER':
      return { ...known, ...issueOf(card), state, photoSite: card.photoSite && sites[card.photoSite] };
    case 'ACTIVE':
    case 'EXPIRED':
    case 'VOIDED':
    case 'DESTROYED':
      return { ...known, ...issueOf(card), state };
    case 'REVOKED':
      if (!card.receipt) throw new Error('A card is revoked without a receipt');
      return { ...known, ...issueOf(card), state, receipt: toDialogReceipt(card.receipt) };
  }
}

export const toDialogReceipt = ({ number, card, ending, at }: Receipt): DialogReceipt => ({
  number,
  card,
  ending,
  at: instantOf(new Date(at)),
});

const sites = { LINDHAGEN: 'lindhagen', SODERSJUKHUSET: 'sodersjukhuset' } as const satisfies Record<string, PhotoSite>;

function issueOf({ issuedOn, expiresOn, certificates }: Card): { issuedOn: Day; expiresOn: Day; assurance: 2 | 3 } {
  if (issuedOn === undefined || expiresOn === undefined) throw new Error('A card is in use that was never issued');
  const isOld = certificates.length > 0 && certificates.every(({ loa }) => loa === 2);
  return { issuedOn: issuedOn as Day, expiresOn: expiresOn as Day, assurance: isOld ? 2 : 3 };
}

/** An errand as the ledger knows it, for ever. That of a chat does not tell in which conversation it was made. */
export const errandOf = ({ reference, channel = 'chat' }: { reference: string; channel?: Channel }) => ({
  channel,
  key: channel === 'chat' ? createHash('sha256').update(reference).digest('base64url') : reference,
});
