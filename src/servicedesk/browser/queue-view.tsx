/// <reference lib="dom" />
/** The queue: the arrow keys go through it, and only one of it is on the way of whoever tabs through the page. */
import { useRef, useState } from 'preact/hooks';
import type { CaseShown } from '../shown.ts';
import { fill, type Texts } from '../texts.ts';
import { waitInWords } from './words.ts';

type QueueViewProps = {
  cases: readonly CaseShown[];
  me: string;
  now: number;
  openId: string | undefined;
  texts: Texts;
  onOpen: (id: string) => void;
};

/** Where the focus goes that is to be in the queue. */
export const QUEUE = 'queue';

export function QueueView({ cases, me, now, openId, texts, onOpen }: QueueViewProps) {
  const list = useRef<HTMLUListElement>(null);
  const [at, setAt] = useState<string>();
  const reachable = [at, openId].find((id) => cases.some((each) => each.id === id)) ?? cases[0]?.id;
  const go = (event: KeyboardEvent): void => {
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const here = buttons.findIndex((button) => button === document.activeElement);
    const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || here < 0) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(next, buttons.length - 1))]?.focus();
  };
  if (cases.length === 0) {
    return (
      <p id={QUEUE} tabIndex={-1} class="nothing">
        {texts.queueIsEmpty}
      </p>
    );
  }
  return (
    <ul ref={list} class="cases" onKeyDown={go}>
      {cases.map((each) => (
        <li key={each.id}>
          <button
            type="button"
            id={each.id === reachable ? QUEUE : undefined}
            tabIndex={each.id === reachable ? 0 : -1}
            aria-current={each.id === openId ? 'true' : undefined}
            data-state={each.state}
            onFocus={() => {
              setAt(each.id);
            }}
            onClick={() => {
              onOpen(each.id);
            }}
          >
            <span class="what">{texts[`reason.${each.reason}`]}</span>
            <span class="wait">{waitInWords(each.waitingSince, now, texts)}</span>
            {each.path !== undefined && <span class="path">{each.path}</span>}
            <span class="whose">
              <span class="mark">{whose(each, me, texts)}</span>
              {each.unanswered > 0 && <span> {fill(texts.unanswered, { count: each.unanswered })}</span>}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function whose({ state, agent }: CaseShown, me: string, texts: Texts): string {
  if (state !== 'claimed' || !agent) return texts[`state.${state}`];
  return agent.id === me ? texts['state.yours'] : fill(texts['state.claimed'], { agent: agent.name });
}
