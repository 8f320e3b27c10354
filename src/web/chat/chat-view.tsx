/**
 * The chat as it looks, from what was said. The server renders it as a form
 * that works by itself; in the browser the same view is brought to life.
 *
 * Nothing in it may depend on anything but its properties, or what the server
 * rendered and what the browser makes of it would differ.
 */
import type { ComponentChildren } from 'preact';
import { type Activity, isOwn, LONGEST_TEXT, placeIn, speakerNow, suggestionsOf } from './activity.ts';
import { Card, type DrawCard } from './card.tsx';
import { blocksOf } from './markdown.tsx';
import type { Texts } from './texts.ts';

/** What has been written here and has not come back in the log. */
export type Unsent = { id: string; text: string; problem: 'tooLong' | undefined };

export type Chat = {
  /** In the order they were kept. */
  activities: readonly Activity[];
  unsent: readonly Unsent[];
  connection: 'resting' | 'online' | 'offline' | 'back';
  /** Something was sent a while ago, and is not answered. */
  isSlow: boolean;
  /** Too many were sent; the next goes when it may. */
  isBusy: boolean;
  /** What was said before could not be gone on with. */
  isBegunAnew: boolean;
};

/** As it is before anything is written, or comes. */
export const atRest = (activities: readonly Activity[]): Chat => ({
  activities,
  unsent: [],
  connection: 'resting',
  isSlow: false,
  isBusy: false,
  isBegunAnew: false,
});

/** For a form that is sent without scripts: the token of its conversation, and the id its message will have. */
export type FormFields = { token: string; id: string };

type ChatViewProps = {
  chat: Chat;
  texts: Texts;
  dated: readonly string[];
  form: FormFields;
  /** Without scripts nothing moves by itself, and what is not answered has to be asked for. */
  isAlive: boolean;
  isFramed: boolean;
  drawCard?: DrawCard | undefined;
  onSay?: (text: string) => void;
  onBegin?: () => void;
  onStartOver?: () => void;
  onClose?: () => void;
};

export const FORM = 'say';
/** What was written last. Without scripts, the page that comes back begins there. */
const ANSWER = 'answer';

export function ChatView(props: ChatViewProps) {
  const { chat, texts, dated, isAlive } = props;
  const { activities, unsent } = chat;
  const shown = activities.filter(({ type }) => type === 'message');
  const last = shown.at(-1);
  const lastOwn = shown.findLast(isOwn);
  const isWaiting = unsent.length > 0 || (last !== undefined && isOwn(last));
  const isBots = speakerNow(activities).speaker === 'bot';
  const suggestions = last && !isWaiting ? suggestionsOf(last) : [];
  return (
    <>
      <Header {...props} />
      <main tabIndex={0}>
        <details class="about">
          <summary>{texts.about}</summary>
          <p>{texts.intro}</p>
          {dated.map((text) => (
            <p>{text}</p>
          ))}
          <p class="about-links">
            <a href="/accessibility" target="_blank">
              {texts.accessibility}
              <span class="unseen"> {texts.newTab}</span>
            </a>
            <a href="/records" target="_blank">
              {texts.records}
              <span class="unseen"> {texts.newTab}</span>
            </a>
          </p>
        </details>
        {chat.isBegunAnew && <p class="notice">{texts.begunAnew}</p>}
        <div role="log" aria-label={texts.log}>
          <ol class="messages">
            {[
              ...shown.map((activity) =>
                isOwn(activity) ? (
                  <OwnMessage
                    key={keyOf(activity)}
                    text={activity.text ?? ''}
                    texts={texts}
                    isLast={activity === lastOwn}
                  />
                ) : (
                  <Message key={keyOf(activity)} activity={activity} {...props} />
                ),
              ),
              ...unsent.map(({ id, ...each }) => <OwnMessage key={id} isUnsent texts={texts} {...each} />),
            ]}
          </ol>
        </div>
        {isWaiting && isBots && isAlive && chat.connection !== 'offline' && (
          <p class="waiting">
            <span class="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
            {chat.isSlow ? texts.slow : texts.waiting}
          </p>
        )}
        {(isWaiting || !isBots) && !isAlive && (
          <p class="notice">
            {isBots ? texts.notAnsweredYet : texts.humansTakeTime}{' '}
            <button type="submit" form={FORM} formNoValidate>
              {texts.showAnswer}
            </button>
          </p>
        )}
      </main>
      <p role="status" class="status" data-connection={chat.connection}>
        {statusOf(chat, texts)}
      </p>
      <Composer suggestions={suggestions} {...props} />
    </>
  );
}

/** What comes back under its sender's own id is the message that was shown before, and stays where it is. */
const keyOf = (activity: Activity): string =>
  (isOwn(activity) ? activity.channelData?.clientActivityID : undefined) ?? String(placeIn(activity));

function statusOf({ connection, isBusy, unsent }: Chat, texts: Texts): string {
  if (connection === 'offline') {
    return [texts.offline, ...(unsent.length > 0 ? [texts.unsent] : []), texts.offlineContact].join(' ');
  }
  if (isBusy) return texts.busy;
  return connection === 'back' ? texts.online : '';
}

function Header({ chat, texts, isFramed, onSay, onStartOver, onClose }: ChatViewProps) {
  const wish = (label: string, text: string) => (
    <li>
      <Wish text={text} onSay={onSay}>
        {label}
      </Wish>
    </li>
  );
  return (
    <header>
      <div>
        <h1>{texts.title}</h1>
        <p class="robot" role="status">
          {whoAnswers(chat, texts)}
        </p>
      </div>
      <details class="menu">
        <summary>{texts.menu}</summary>
        <ul>
          {wish(texts.contact, texts.contactWish)}
          <li>
            <button type="submit" form={FORM} formAction="/chat/transcript" formNoValidate>
              {texts.download}
            </button>
          </li>
          {wish(texts.signOut, texts.signOutWish)}
          {wish(texts.forgetMe, texts.forgetMeWish)}
          <li>
            <button
              type="submit"
              form={FORM}
              formAction="/chat/new"
              formNoValidate
              onClick={(event) => {
                if (!onStartOver) return;
                event.preventDefault();
                onStartOver();
              }}
            >
              {texts.startOver}
            </button>
          </li>
        </ul>
      </details>
      {isFramed && (
        <button type="button" class="close" onClick={onClose}>
          {texts.close}
        </button>
      )}
    </header>
  );
}

function whoAnswers({ activities }: Chat, texts: Texts): string {
  const now = speakerNow(activities);
  if (now.speaker === 'bot') return texts.robot;
  if (now.speaker === 'queue') return texts.inQueue;
  return [now.name, texts.human].join('');
}

const Who = ({ name }: { name: string }) => <span class="who">{name}</span>;

type OwnMessageProps = {
  text: string;
  texts: Texts;
  isLast?: boolean;
  isUnsent?: boolean;
  problem?: Unsent['problem'];
};

/** The same element before it is sent and after it has come back, so that it is announced once. */
function OwnMessage({ text, texts, isLast = false, isUnsent = false, problem }: OwnMessageProps) {
  return (
    <li id={isLast ? ANSWER : undefined} class="message own" data-from="user" data-unsent={isUnsent || undefined}>
      <Who name={texts.you} />
      <div class="said plain">{text}</div>
      {problem && <p class="problem">{texts[problem]}</p>}
    </li>
  );
}

function Message({ activity, texts, drawCard }: ChatViewProps & { activity: Activity }) {
  const { text = '', attachments = [] } = activity;
  const blocks = blocksOf(text, texts.newTab);
  const founded = blocks.find(({ cites }) => cites.length > 0);
  return (
    <li class="message" data-from="bot">
      <Who name={speakerOf(activity, texts)} />
      <div class="said">
        {blocks.filter((each) => each !== founded).map(({ shown }) => shown)}
        {attachments.map((attachment) => (
          <Card attachment={attachment} newTab={texts.newTab} draw={drawCard} />
        ))}
        {founded && (
          <details class="source">
            <summary>
              {founded.words} <span class="cites">{`${texts.rules} ${founded.cites.join(', ')}`}</span>
            </summary>
            <dl aria-label={texts.rulesFull}>
              {founded.cites.map((id, index) => (
                <div>
                  <dt>{id}</dt>
                  <dd>{ruleAt(activity, index)}</dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
    </li>
  );
}

/** Our own name is always followed by what we are. What nobody in particular says is of the servicedesk. */
export const speakerOf = ({ from }: Activity, texts: Texts): string =>
  from.name === undefined ? texts.desk : from.name === texts.title ? texts.bot : from.name;

const ruleAt = ({ entities = [] }: Activity, index: number): string | undefined =>
  entities.flatMap(({ citation = [] }) => citation)[index]?.appearance.text;

function Composer(props: ChatViewProps & { suggestions: string[] }) {
  const { texts, suggestions, form, onSay, onBegin } = props;
  return (
    <form
      id={FORM}
      method="post"
      action={`/chat#${ANSWER}`}
      onSubmit={(event) => {
        if (!onSay || event.submitter?.hasAttribute('formaction')) return;
        event.preventDefault();
        const box = event.currentTarget.elements.namedItem('text');
        if (!(box instanceof HTMLTextAreaElement) || box.value.trim() === '') return;
        onSay(box.value);
        box.value = '';
        resize(box);
      }}
    >
      <input type="hidden" name="token" value={form.token} />
      <input type="hidden" name="id" value={form.id} />
      {suggestions.length > 0 && (
        <div class="suggestions" role="group" aria-label={texts.suggestions}>
          {suggestions.map((text) => (
            <Wish key={text} text={text} onSay={onSay}>
              {text}
            </Wish>
          ))}
        </div>
      )}
      <div class="box">
        <label for="text" class="unseen">
          {texts.box}
        </label>
        <textarea
          id="text"
          name="text"
          rows={1}
          maxLength={LONGEST_TEXT}
          placeholder={texts.box}
          autocomplete="off"
          enterkeyhint="send"
          onFocus={onBegin}
          onInput={(event) => {
            resize(event.currentTarget);
          }}
          onKeyDown={(event) => {
            if (!onSay || event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            event.currentTarget.form?.requestSubmit();
          }}
        />
        <button type="submit" class="send">
          {texts.send}
        </button>
      </div>
    </form>
  );
}

/** A button that says something in the student's place. */
function Wish({ text, onSay, children }: { text: string; onSay: ChatViewProps['onSay']; children: ComponentChildren }) {
  return (
    <button
      type="submit"
      form={FORM}
      name="suggested"
      value={text}
      formNoValidate
      onClick={(event) => {
        if (!onSay) return;
        event.preventDefault();
        onSay(text);
      }}
    >
      {children}
    </button>
  );
}

/** As high as what is written in it. The style sheet says when that is enough. */
function resize(box: HTMLTextAreaElement): void {
  box.style.height = 'auto';
  box.style.height = `${box.scrollHeight}px`;
}
