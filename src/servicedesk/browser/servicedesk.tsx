/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The agents' page: the queue, one case, and what belongs to it. Which case is
 * open stands in the address, so that it is still open after a reload, and the
 * browser's own way back leads to the queue.
 */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ServicedeskPageData } from '../page.tsx';
import type { Canned } from '../shown.ts';
import { fill, type Texts } from '../texts.ts';
import { BriefView } from './brief-view.tsx';
import { CardsPanel } from './cards-panel.tsx';
import { type Asking, BOX, CaseView, TITLE } from './case-view.tsx';
import { CannedPicker, CloseForm, HandBackForm, OpenedForPhone } from './questions.tsx';
import { QUEUE, QueueView } from './queue-view.tsx';
import { createSession, type News } from './session.ts';

const app = elementById('app');
const data = JSON.parse(elementById('data').textContent) as ServicedeskPageData;
const { me, texts } = data;
const session = createSession(me.id, data.longest);

/** How often the waiting times are reckoned anew, in milliseconds. */
const MINUTES_GO = 10_000;

type Pane = 'chat' | 'brief' | 'cards';

function Desk() {
  const [state, setState] = useState(session.state());
  const [pane, setPane] = useState<Pane>('chat');
  const [asking, setAsking] = useState<Asking>();
  const [link, setLink] = useState<string>();
  const [failed, setFailed] = useState(false);
  const now = useNow() + state.ahead;
  const { open, cases, connection } = state;

  useEffect(() => {
    const show = () => {
      setState(session.state());
    };
    session.subscribe(show);
    // Something may have come between what was rendered first and now.
    show();
  }, []);
  useEffect(() => {
    const follow = () => {
      session.open(idInAddress());
      setAsking(undefined);
      setPane('chat');
    };
    follow();
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('hashchange', follow);
    };
  }, []);
  // A case that was left by what was done in it, is left in the address too.
  useEffect(() => {
    const isOpen = session.state().open !== undefined;
    if (!isOpen && idInAddress() !== undefined) location.hash = '';
    focusOn(isOpen ? TITLE : QUEUE);
  }, [open?.id]);
  useEffect(() => {
    const waiting = cases.filter((each) => each.state !== 'claimed').length;
    document.title = waiting > 0 ? `(${waiting}) ${texts.title}` : texts.title;
  }, [cases]);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || document.querySelector('dialog')) return;
      const isYours = session.state().open?.file?.isYours === true;
      const does = {
        F2: () => {
          focusOn(QUEUE);
        },
        F4: () => {
          setPane('chat');
          focusOn(BOX);
        },
        F8:
          isYours &&
          (() => {
            setAsking('canned');
          }),
        F9:
          isYours &&
          (() => {
            setAsking('handBack');
          }),
      }[event.key];
      if (!does) return;
      event.preventDefault();
      does();
    };
    document.addEventListener('keydown', press);
    return () => {
      document.removeEventListener('keydown', press);
    };
  }, []);

  const close = () => {
    setAsking(undefined);
  };
  const insert = ({ text, cites }: Canned): void => {
    close();
    const { open: written } = session.state();
    if (!written) return;
    const { draft } = written;
    session.write([draft.text, text].filter((each) => each !== '').join('\n'), [
      ...new Set([...draft.cites, ...cites]),
    ]);
    setTimeout(() => {
      focusOn(BOX);
    });
  };
  const openForPhone = async (): Promise<void> => {
    const opened = await session.openForPhone();
    setFailed(!opened);
    if (!opened) return;
    location.hash = opened.id;
    setLink(opened.link);
  };
  const paneButton = (each: Pane, label: string) => (
    <button
      type="button"
      aria-pressed={pane === each}
      data-pane={each}
      onClick={() => {
        setPane(each);
      }}
    >
      {label}
    </button>
  );
  const waiting = cases.filter((each) => each.state !== 'claimed').length;

  return (
    <>
      <header>
        <h1>{texts.title}</h1>
        <p role="status" class="connection" data-connection={connection}>
          {texts[connection]}{' '}
          {connection === 'ended' && <a href="/servicedesk/sign-in?to=/servicedesk">{texts.toSignIn}</a>}
        </p>
        <details class="help">
          <summary>{texts.shortcuts}</summary>
          <Shortcuts texts={texts} />
        </details>
        <a href="/servicedesk/figures">{texts.toFigures}</a>
        <p class="me">{fill(texts.signedInAs, { name: me.name })}</p>
        <form method="post" action="/servicedesk/sign-out" onSubmit={session.forgetDrafts}>
          <button type="submit">{texts.signOut}</button>
        </form>
      </header>
      <main data-shown={open || pane === 'cards' ? pane : 'queue'}>
        <section class="queue" aria-labelledby="queue-title">
          <div class="queue-head">
            <h2 id="queue-title">
              {texts.queue} <span class="subtle">{fill(texts.waitingCount, { count: waiting })}</span>
            </h2>
            <button
              type="button"
              onClick={() => {
                void openForPhone();
              }}
            >
              {texts.openForPhone}
            </button>
            <div class="narrow">{!open && paneButton('cards', texts.cards)}</div>
            <div role="alert">{failed && <p class="notice">{texts.failed}</p>}</div>
          </div>
          {state.isLoaded && (
            <QueueView
              cases={cases}
              me={me.id}
              now={now}
              openId={open?.id}
              texts={texts}
              onOpen={(id) => {
                location.hash = id;
              }}
            />
          )}
        </section>
        <nav class="narrow panes" aria-label={texts.panes}>
          <button
            type="button"
            onClick={() => {
              setPane('chat');
              location.hash = '';
            }}
          >
            {texts.back}
          </button>
          {open && (
            <>
              {paneButton('chat', texts.chat)}
              {paneButton('brief', texts.brief)}
              {paneButton('cards', texts.cards)}
            </>
          )}
        </nav>
        <section class="case" aria-label={texts.chat}>
          {open ? (
            <CaseView
              open={open}
              me={me.id}
              now={now}
              texts={texts}
              longest={data.longest}
              onClaim={() => void session.claim()}
              onRelease={() => void session.release()}
              onAsk={setAsking}
              onWrite={session.write}
              onSay={session.say}
            />
          ) : (
            <p class="nothing">{texts.pick}</p>
          )}
        </section>
        <aside aria-label={texts.panes}>
          {open && (
            <div class="wide panes">
              <button
                type="button"
                aria-pressed={pane !== 'cards'}
                onClick={() => {
                  setPane('brief');
                }}
              >
                {texts.brief}
              </button>
              {paneButton('cards', texts.cards)}
            </div>
          )}
          {open && pane !== 'cards' ? (
            <div class="pane" tabIndex={0} role="region" aria-label={texts.brief}>
              {open.file && <BriefView brief={open.file.brief} texts={texts} />}
            </div>
          ) : (
            <div class="pane" tabIndex={0} role="region" aria-label={texts.cards}>
              <CardsPanel
                key={open?.id}
                texts={texts}
                ways={data.ways}
                caseId={open?.id}
                confirm={session.confirm}
                revoke={session.revoke}
              />
            </div>
          )}
        </aside>
      </main>
      <p role="status" class="unseen">
        {state.news && newsInWords(state.news)}
      </p>
      {asking === 'canned' && <CannedPicker canned={data.canned} texts={texts} onClose={close} onPick={insert} />}
      {asking === 'handBack' && (
        <HandBackForm
          ways={data.handBack}
          texts={texts}
          onClose={close}
          onHandBack={(onto) => {
            void session.handBack(onto).then(close);
          }}
        />
      )}
      {asking === 'close' && (
        <CloseForm
          texts={texts}
          onClose={close}
          onEnd={(outcome) => {
            void session.close(outcome).then(close);
          }}
        />
      )}
      {link !== undefined && (
        <OpenedForPhone
          link={link}
          texts={texts}
          onClose={() => {
            setLink(undefined);
          }}
        />
      )}
    </>
  );
}

function Shortcuts({ texts: { shortcutList, ...names } }: { texts: Texts }) {
  const keys = [
    ['F2', names.shortcutQueue],
    ['↑ ↓', names.shortcutArrows],
    ['F4', names.shortcutWrite],
    ['Enter', names.shortcutSend],
    ['Shift + Enter', names.shortcutNewLine],
    ['F8', names.shortcutCanned],
    ['F9', names.shortcutHandBack],
  ];
  return (
    <div class="sheet">
      <p>{shortcutList}</p>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const going = setInterval(() => {
      setNow(Date.now());
    }, MINUTES_GO);
    return () => {
      clearInterval(going);
    };
  }, []);
  return now;
}

function newsInWords(news: News): string {
  if (news.kind === 'cases') return news.count === 1 ? texts.newCase : fill(texts.newCases, { count: news.count });
  return news.kind === 'message' ? texts.newMessage : texts[news.kind];
}

function idInAddress(): string | undefined {
  const id = location.hash.slice(1);
  return id === '' ? undefined : id;
}

/** What is not there, because it is not shown just now, is not focused. */
function focusOn(id: string): void {
  document.getElementById(id)?.focus();
}

function elementById(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no ${id}`);
  return element;
}

app.replaceChildren();
render(<Desk />, app);
