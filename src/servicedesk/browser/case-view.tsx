/// <reference lib="dom" />
/**
 * One case: what was said, and what the agent does with it. What a student has
 * written is text and nothing else; what the bot and agents have, is shown as
 * the student sees it.
 */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { blocksOf } from '../../web/chat/markdown.tsx';
import type { EntryShown } from '../shown.ts';
import { fill, type Texts } from '../texts.ts';
import { whose } from './queue-view.tsx';
import type { Notice, Open } from './session.ts';
import { timeInWords, waitInWords } from './words.ts';

export type Asking = 'canned' | 'handBack' | 'close';

type CaseViewProps = {
  open: Open;
  me: string;
  now: number;
  texts: Texts;
  longest: number;
  onClaim: () => void;
  onRelease: () => void;
  onAsk: (asking: Asking) => void;
  onWrite: (text: string, cites: string[]) => void;
  onSay: () => void;
};

/** Where the focus goes, when a case is opened and when it is to be written in. */
export const TITLE = 'case-title';
export const BOX = 'write';

export function CaseView(props: CaseViewProps) {
  const { open, me, now, texts, onClaim, onRelease, onAsk } = props;
  const { file, notice } = open;
  const isGone = notice?.kind === 'gone';
  return (
    <>
      <div class="case-head">
        <h2 id={TITLE} tabIndex={-1}>
          {file ? (file.case.path ?? texts[`reason.${file.case.reason}`]) : texts.case}
        </h2>
        {file && !isGone && (
          <p class="subtle">
            {whose(file.case, me, texts)}
            {file.case.state !== 'claimed' && `, ${waitInWords(file.case.waitingSince, now, texts)}`}
          </p>
        )}
        {file && !isGone && (
          <div class="actions">
            {file.isYours ? (
              <>
                <button
                  type="button"
                  onClick={() => {
                    onAsk('handBack');
                  }}
                >
                  {texts.handBack}
                </button>
                <button type="button" onClick={onRelease}>
                  {texts.release}
                </button>
                <button
                  type="button"
                  onClick={() => {
                    onAsk('close');
                  }}
                >
                  {texts.close}
                </button>
              </>
            ) : (
              file.case.state !== 'claimed' && (
                <button type="button" class="first" onClick={onClaim}>
                  {notice?.kind === 'lost' ? texts.claimAgain : texts.claim}
                </button>
              )
            )}
          </div>
        )}
      </div>
      <div role="alert">{notice && <p class="notice">{noticeInWords(notice, props)}</p>}</div>
      <Transcript {...props} />
      <Composer {...props} isYours={file?.isYours === true && !isGone} />
    </>
  );
}

function noticeInWords({ kind, by }: Notice, { texts, longest }: CaseViewProps): string {
  if (kind === 'lost' && by !== undefined) return fill(texts.lostTo, { agent: by });
  return fill(texts[kind], { agent: by ?? '', most: longest });
}

function Transcript({ open, me, now, texts }: CaseViewProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { file, draft } = open;
  const last = (file?.log.at(-1)?.seq ?? 0) + draft.sending.length;
  const toEnd = () => {
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  };
  useLayoutEffect(toEnd, [last, open.id]);
  // What is written below takes of its height, and the last that was said is what is answered.
  useEffect(() => {
    const watching = new ResizeObserver(toEnd);
    if (scroller.current) watching.observe(scroller.current);
    return () => {
      watching.disconnect();
    };
  }, []);
  return (
    <div ref={scroller} class="transcript" tabIndex={0} role="log" aria-label={texts.transcript}>
      <ol>
        {file?.log.map((entry) => (
          <Entry key={entry.seq} entry={entry} me={me} now={now} texts={texts} />
        ))}
        {draft.sending.map(({ key, text }) => (
          <li key={key} data-from="agent" data-unsent>
            <p class="who">
              {texts.you} <span>{texts.unsent}</span>
            </p>
            <div class="said plain">{text}</div>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Entry({ entry, now, texts }: { entry: EntryShown; me: string; now: number; texts: Texts }) {
  const { from, name, at, text, cites } = entry;
  return (
    <li data-from={from}>
      <p class="who">
        {name ?? texts[`from.${from}`]} <time dateTime={at}>{timeInWords(at, now)}</time>
      </p>
      {from === 'student' ? (
        <div class="said plain">{text}</div>
      ) : (
        <div class="said">
          {blocksOf(text, texts.newTab).map(({ shown }) => shown)}
          {cites.length > 0 && (
            <p class="cites">
              {texts.rules} {cites.join(', ')}
            </p>
          )}
        </div>
      )}
    </li>
  );
}

const footOf = ({ open: { file, notice }, me, texts }: CaseViewProps): string => {
  if (!file || notice?.kind === 'gone') return '';
  return file.case.state === 'claimed' ? whose(file.case, me, texts) : texts.claimToWrite;
};

function Composer(props: CaseViewProps & { isYours: boolean }) {
  const { open, texts, longest, isYours, onWrite, onSay, onAsk } = props;
  const { text, cites } = open.draft;
  const box = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    box.current.style.height = 'auto';
    box.current.style.height = `${box.current.scrollHeight + 2}px`;
  }, [text, isYours]);
  // Whoever has just taken a case is about to write in it.
  const had = useRef(isYours);
  useEffect(() => {
    if (isYours && !had.current) box.current?.focus();
    had.current = isYours;
  }, [isYours]);
  if (!isYours && text === '') return <p class="nothing foot">{footOf(props)}</p>;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        onSay();
        box.current?.focus();
      }}
    >
      <label for={BOX} class="unseen">
        {texts.write}
      </label>
      <textarea
        ref={box}
        id={BOX}
        rows={1}
        maxLength={longest}
        placeholder={texts.write}
        autocomplete="off"
        value={text}
        onInput={(event) => {
          onWrite(event.currentTarget.value, cites);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          onSay();
        }}
      />
      {cites.length > 0 && (
        <p class="cites">
          {fill(texts.founded, { name: cites.join(', ') })}{' '}
          <button
            type="button"
            class="link"
            onClick={() => {
              onWrite(text, []);
            }}
          >
            {texts.unfound}
          </button>
        </p>
      )}
      <div class="row">
        <button
          type="button"
          disabled={!isYours}
          onClick={() => {
            onAsk('canned');
          }}
        >
          {texts.canned}
        </button>
        <button type="submit" class="first" disabled={!isYours}>
          {texts.send}
        </button>
      </div>
    </form>
  );
}
