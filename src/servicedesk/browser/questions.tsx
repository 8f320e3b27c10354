/// <reference lib="dom" />
/** What an agent is asked before something is done: what to answer with, onto what to hand back, how it went. */
import { useRef, useState } from 'preact/hooks';
import { type Canned, type Field, OUTCOMES, type Way } from '../shown.ts';
import { fill, type Texts } from '../texts.ts';
import { Dialog } from './dialog.tsx';

type Asked = { texts: Texts; onClose: () => void };

export function CannedPicker({
  canned,
  texts,
  onClose,
  onPick,
}: Asked & { canned: readonly Canned[]; onPick: (picked: Canned) => void }) {
  const [search, setSearch] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const words = search.toLocaleLowerCase('sv').split(/\s+/);
  const found = canned.filter(({ title = '', text, cites }) => {
    const whole = `${title} ${text} ${cites.join(' ')}`.toLocaleLowerCase('sv');
    return words.every((word) => whole.includes(word));
  });
  const go = (event: KeyboardEvent): void => {
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const here = buttons.findIndex((button) => button === document.activeElement);
    const next = { ArrowDown: here + 1, ArrowUp: here - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    if (next < 0) document.getElementById('canned-search')?.focus();
    else buttons[Math.min(next, buttons.length - 1)]?.focus();
  };
  return (
    <Dialog title={texts.canned} onClose={onClose}>
      <form
        onKeyDown={go}
        onSubmit={(event) => {
          event.preventDefault();
          const [first] = found;
          if (first) onPick(first);
        }}
      >
        <label for="canned-search">{texts.cannedSearch}</label>
        <input
          id="canned-search"
          type="search"
          autocomplete="off"
          value={search}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
          }}
        />
        <p role="status" class="subtle">
          {found.length === 0 ? texts.cannedNone : fill(texts.cannedCount, { count: found.length })}
        </p>
        <ul ref={list} class="canned">
          {found.map((each) => (
            <li key={each.name}>
              <button
                type="button"
                onClick={() => {
                  onPick(each);
                }}
              >
                {each.title !== undefined && <strong>{each.title}</strong>}
                <span class="lines">{each.text}</span>
                {each.cites.length > 0 && (
                  <span class="cites">
                    {texts.rules} {each.cites.join(', ')}
                  </span>
                )}
              </button>
            </li>
          ))}
        </ul>
        <div class="row">
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function HandBackForm({
  ways,
  texts,
  onClose,
  onHandBack,
}: Asked & { ways: readonly Way[]; onHandBack: (onto: object) => void }) {
  const [intent, setIntent] = useState('');
  const way = ways.find((each) => each.intent === intent);
  return (
    <Dialog title={texts.handBackTitle} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const told = new FormData(event.currentTarget);
          const valueOf = (name: string) => {
            const value = told.get(name);
            return typeof value === 'string' ? value.trim() : '';
          };
          const known = Object.fromEntries(
            (way?.fields ?? []).flatMap((field) => {
              const value = valueOf(field.fact);
              return value === '' ? [] : [[field.fact, factFrom(field, value)]];
            }),
          );
          const reason = valueOf('why');
          onHandBack({ ...(way && { path: way.intent, known }), ...(reason !== '' && { reason }) });
        }}
      >
        <p>{texts.handBackText}</p>
        <label for="onto">{texts.onto}</label>
        <select
          id="onto"
          value={intent}
          onChange={(event) => {
            setIntent(event.currentTarget.value);
          }}
        >
          <option value="">{texts.ontoNothing}</option>
          {ways.map((each) => (
            <option key={each.intent} value={each.intent}>
              {each.title}
            </option>
          ))}
        </select>
        <div class="fields">
          {way?.fields.map((field) => (
            <div key={`${intent} ${field.fact}`}>
              <label for={`fact-${field.fact}`}>{field.label}</label>
              {field.kind === 'day' ? (
                <input id={`fact-${field.fact}`} name={field.fact} type="date" />
              ) : (
                <select id={`fact-${field.fact}`} name={field.fact}>
                  <option value="">{texts.notTold}</option>
                  {choicesOf(field, texts).map(({ value, label }) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </select>
              )}
            </div>
          ))}
        </div>
        <label for="why">{texts.why}</label>
        <input id="why" name="why" maxLength={500} autocomplete="off" />
        <div class="row">
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="first">
            {texts.handBackNow}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const choicesOf = (field: Exclude<Field, { kind: 'day' }>, texts: Texts) =>
  field.kind === 'choice'
    ? field.choices
    : [
        { value: 'yes', label: texts.yes },
        { value: 'no', label: texts.no },
      ];

function factFrom({ kind }: Field, value: string): unknown {
  if (kind === 'yesNo') return value === 'yes';
  return kind === 'day' ? { from: value, to: value } : value;
}

export function CloseForm({ texts, onClose, onEnd }: Asked & { onEnd: (outcome: string) => void }) {
  return (
    <Dialog title={texts.closeTitle} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const outcome = new FormData(event.currentTarget).get('outcome');
          if (typeof outcome === 'string') onEnd(outcome);
        }}
      >
        <p>{texts.closeText}</p>
        <fieldset>
          <legend>{texts.outcome}</legend>
          {OUTCOMES.map((outcome) => (
            <label key={outcome} class="choice">
              <input type="radio" name="outcome" value={outcome} required />
              {texts[`outcome.${outcome}`]}
            </label>
          ))}
        </fieldset>
        <div class="row">
          <button type="button" onClick={onClose}>
            {texts.cancel}
          </button>
          <button type="submit" class="first">
            {texts.closeNow}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function OpenedForPhone({ link, texts, onClose }: Asked & { link: string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <Dialog title={texts.openedTitle} onClose={onClose}>
      <form method="dialog">
        <label for="opened-link">{texts.openedText}</label>
        <input
          id="opened-link"
          readOnly
          value={link}
          onFocus={(event) => {
            event.currentTarget.select();
          }}
        />
        <p role="status">{isCopied && texts.copied}</p>
        <div class="row">
          <button
            type="button"
            class="first"
            onClick={() => {
              navigator.clipboard.writeText(link).then(
                () => {
                  setCopied(true);
                },
                () => {
                  // Where the browser does not let us, the text is selected, to be copied by hand.
                  document.getElementById('opened-link')?.focus();
                },
              );
            }}
          >
            {texts.copy}
          </button>
          <button type="submit">{texts.toChat}</button>
        </div>
      </form>
    </Dialog>
  );
}
