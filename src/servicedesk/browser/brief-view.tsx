/** What whoever takes a case has to know, so that nothing is asked twice. */
import type { BriefShown } from '../shown.ts';
import type { Texts } from '../texts.ts';

export function BriefView({ brief, texts }: { brief: BriefShown; texts: Texts }) {
  const { wish, state, known, cards, isProved, tried, rules } = brief;
  return (
    <>
      <p class={isProved ? 'proof good' : 'proof'}>{isProved ? texts.proved : texts.notProved}</p>
      <dl>
        {wish !== undefined && (
          <div>
            <dt>{texts.wish}</dt>
            <dd>{wish}</dd>
          </div>
        )}
        {state !== undefined && (
          <div>
            <dt>{texts.stoodAt}</dt>
            <dd class="lines">{state}</dd>
          </div>
        )}
      </dl>
      <h3>{texts.known}</h3>
      {known.length === 0 ? (
        <p class="subtle">{texts.knownNothing}</p>
      ) : (
        <dl class="facts">
          {known.map(({ name, value, from }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {value} <span class="subtle">{texts[`known.${from}`]}</span>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {cards.length > 0 && (
        <>
          <h3>{texts.studentCards}</h3>
          <dl class="facts">
            {cards.map(({ name, state: each }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{each}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <h3>{texts.tried}</h3>
      {tried.length === 0 ? (
        <p class="subtle">{texts.triedNothing}</p>
      ) : (
        <ol class="tried">
          {tried.map(({ text, cites }) => (
            <li key={text}>
              <span class="lines">{text}</span>
              <span class="cites">
                {texts.rules} {cites.join(', ')}
              </span>
            </li>
          ))}
        </ol>
      )}
      {rules.length > 0 && (
        <details>
          <summary>{texts.rulesCited}</summary>
          <dl class="rules">
            {rules.map(({ id, text }) => (
              <div key={id}>
                <dt>{id}</dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}
