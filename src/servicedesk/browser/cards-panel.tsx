/// <reference lib="dom" />
/**
 * The cards of somebody whom the agent has made sure of.
 *
 * The number they are looked up by is read once, when it is sent, and is gone
 * from the page before anything is answered. The box has no name, so that no
 * browser offers to remember it, and is no password’s, so that none is kept as one.
 */
import { useRef, useState } from 'preact/hooks';
import { type CardShown, type ReceiptShown, REVOCATIONS } from '../shown.ts';
import { fill, type Texts } from '../texts.ts';
import { Dialog } from './dialog.tsx';
import type { Holder, Revocation, Session } from './session.ts';
import { dayInWords, momentInWords } from './words.ts';

type CardsPanelProps = {
  texts: Texts;
  ways: readonly { way: string; label: string }[];
  caseId: string | undefined;
  confirm: Session['confirm'];
  revoke: Session['revoke'];
};

type Confirmed = Extract<Holder, { outcome: 'confirmed' }>;
type Problem = Exclude<Holder['outcome'] | Revocation['outcome'], 'confirmed' | 'revoked'>;

export function CardsPanel({ texts, ways, caseId, confirm, revoke }: CardsPanelProps) {
  const [holder, setHolder] = useState<Confirmed>();
  const [problem, setProblem] = useState<Problem>();
  const [isLooking, setLooking] = useState(false);
  const [asked, setAsked] = useState<CardShown>();
  const number = useRef<HTMLInputElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const tell = (told: Problem | undefined) => {
    setProblem(told);
    if (told === 'expired') setHolder(undefined);
  };

  const look = async (form: HTMLFormElement): Promise<void> => {
    const identifier = number.current?.value ?? '';
    const told = new FormData(form);
    const [way, note] = [told.get('way'), told.get('note')];
    form.reset();
    if (typeof way !== 'string') return;
    setLooking(true);
    tell(undefined);
    const found = await confirm({
      identifier,
      way,
      ...(typeof note === 'string' && note.trim() !== '' && { note }),
      ...(caseId !== undefined && { case: caseId }),
    });
    setLooking(false);
    if (found.outcome === 'confirmed') {
      setHolder(found);
      heading.current?.focus();
    } else {
      tell(found.outcome);
      number.current?.focus();
    }
  };

  const showRevoked = (card: CardShown, receipt: ReceiptShown): void => {
    const cards = holder?.cards.map((each): CardShown =>
      each.id === card.id ? { ...each, state: 'REVOKED', isRevocable: false, receipt } : each,
    );
    if (holder && cards) setHolder({ ...holder, cards });
    setAsked(undefined);
    heading.current?.focus();
  };

  return (
    <>
      <h2 ref={heading} tabIndex={-1}>
        {texts.holder}
      </h2>
      <div role="alert">{problem && <p class="notice">{problemInWords(problem, texts)}</p>}</div>
      {holder ? (
        <>
          {holder.cards.length === 0 && <p>{texts.noCards}</p>}
          <ul class="cards">
            {holder.cards.map((card) => (
              <li key={card.id}>
                <CardInWords card={card} texts={texts} />
                {card.isRevocable && (
                  <button
                    type="button"
                    class="danger"
                    onClick={() => {
                      tell(undefined);
                      setAsked(card);
                    }}
                  >
                    {texts.revoke}
                    <span class="unseen"> {nameOf(card, texts)}</span>
                  </button>
                )}
              </li>
            ))}
          </ul>
          <button
            type="button"
            onClick={() => {
              setHolder(undefined);
              tell(undefined);
              heading.current?.focus();
            }}
          >
            {texts.forgetHolder}
          </button>
        </>
      ) : (
        <form
          class="holder"
          autocomplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            void look(event.currentTarget);
          }}
        >
          <p>{texts.holderText}</p>
          <label for="identifier">{texts.identifier}</label>
          <input
            ref={number}
            id="identifier"
            class="secret"
            type="text"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            required
            maxLength={200}
            aria-describedby="identifier-hint"
          />
          <p id="identifier-hint" class="subtle">
            {texts.identifierHint}
          </p>
          <fieldset>
            <legend>{texts.way}</legend>
            {ways.map(({ way, label }) => (
              <label key={way} class="choice">
                <input type="radio" name="way" value={way} required />
                {label}
              </label>
            ))}
          </fieldset>
          <label for="note">{texts.note}</label>
          <input id="note" name="note" maxLength={200} autocomplete="off" aria-describedby="note-hint" />
          <p id="note-hint" class="subtle">
            {texts.noteHint}
          </p>
          <button type="submit" class="first" disabled={isLooking}>
            {isLooking ? texts.looking : texts.showCards}
          </button>
        </form>
      )}
      {asked && holder && (
        <RevokeForm
          card={asked}
          texts={texts}
          revoke={(reason) => revoke({ confirmation: holder.confirmation, card: asked.id, reason })}
          onRevoked={(receipt) => {
            showRevoked(asked, receipt);
          }}
          onFailed={(failed) => {
            tell(failed);
            setAsked(undefined);
          }}
          onClose={() => {
            setAsked(undefined);
          }}
        />
      )}
    </>
  );
}

const nameOf = ({ kind, ending }: CardShown, texts: Texts): string =>
  fill(texts.cardName, { name: texts[`kind.${kind}`], ending });

const problemInWords = (problem: Problem, texts: Texts): string =>
  texts[problem === 'unanswered' ? 'unanswered.revocation' : problem];

function CardInWords({ card, texts }: { card: CardShown; texts: Texts }) {
  const { state, issuer, orderedOn, issuedOn, expiresOn, receipt } = card;
  return (
    <>
      <h3>{nameOf(card, texts)}</h3>
      <p class="mark" data-state={state}>
        {texts[`card.${state}`]}
        {issuer === 'other' && `. ${texts.otherRegion}`}
      </p>
      <dl class="facts">
        <div>
          <dt>{texts.ordered}</dt>
          <dd>{dayInWords(orderedOn)}</dd>
        </div>
        {issuedOn !== undefined && (
          <div>
            <dt>{texts.issued}</dt>
            <dd>{dayInWords(issuedOn)}</dd>
          </div>
        )}
        {expiresOn !== undefined && (
          <div>
            <dt>{texts.expires}</dt>
            <dd>{dayInWords(expiresOn)}</dd>
          </div>
        )}
      </dl>
      <div role="status">
        {receipt && (
          <p class="proof good">{fill(texts.receipt, { number: receipt.number, at: momentInWords(receipt.at) })}</p>
        )}
      </div>
    </>
  );
}

type RevokeFormProps = {
  card: CardShown;
  texts: Texts;
  revoke: (reason: string) => Promise<Revocation>;
  onRevoked: (receipt: ReceiptShown) => void;
  onFailed: (failed: Problem) => void;
  onClose: () => void;
};

/** While nobody knows how it went it can only be tried again, for the same reason, which asks about the same errand. */
function RevokeForm({ card, texts, revoke, onRevoked, onFailed, onClose }: RevokeFormProps) {
  const [how, setHow] = useState<'asked' | 'sent' | 'unanswered'>('asked');
  const reason = useRef('');
  const send = async (): Promise<void> => {
    setHow('sent');
    const revoked = await revoke(reason.current);
    if (revoked.outcome === 'revoked') onRevoked(revoked.receipt);
    else if (revoked.outcome === 'unanswered') setHow('unanswered');
    else onFailed(revoked.outcome);
  };
  return (
    <Dialog title={texts.revokeTitle} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const chosen = new FormData(event.currentTarget).get('reason');
          if (typeof chosen === 'string') reason.current = chosen;
          void send();
        }}
      >
        <p class="question">{fill(texts.revokeQuestion, { card: texts[`that.${card.kind}`], ending: card.ending })}</p>
        <fieldset disabled={how !== 'asked'}>
          <legend>{texts.revokeReason}</legend>
          {REVOCATIONS.map((each) => (
            <label key={each} class="choice">
              <input type="radio" name="reason" value={each} required />
              {texts[`revocation.${each}`]}
            </label>
          ))}
        </fieldset>
        <div role="alert">{how === 'unanswered' && <p class="notice">{texts['unanswered.revocation']}</p>}</div>
        <div class="row">
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="danger" disabled={how === 'sent'}>
            {how === 'sent' ? texts.revoking : how === 'unanswered' ? texts.tryAgain : texts.revokeNow}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
