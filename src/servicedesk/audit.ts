/**
 * What agents have seen and done of holders' cards, as it is kept: a row a
 * step, which is never changed. A step that could be lost has a row before it
 * is taken; so what has no outcome was cut short, and may have happened.
 *
 * A confirmation of somebody's identity is such a row too, and is kept nowhere
 * else. Rows stay when somebody is forgotten, under the ledger's opaque name.
 */
import type { RevocationReason } from '../../dialogs/vocabulary.ts';
import type { Database, Statement } from '../storage/database.ts';
import type { Agent } from './desk.ts';

/** How an agent made sure who it was: an identity document, a call back to a number known before, an eID, or they know them. */
export const WAYS = ['idDocument', 'callBack', 'eId', 'knownInPerson'] as const;
export type Way = (typeof WAYS)[number];

/** `holder` is nothing while the ledger has not named them. The note is masked, and of 200 characters at most. */
export type Confirmation = {
  confirmation: string;
  holder: string | undefined;
  way: Way;
  note: string | undefined;
  case: string | undefined;
};

/** One of many attempts on the same errand. The errand is what the reference names. */
export type Attempt = {
  confirmation: string;
  attempt: string;
  holder: string;
  card: string | undefined;
  reason: RevocationReason;
  reference: string;
  case: string | undefined;
};

export type Step =
  | ({ what: 'confirm'; outcome: 'confirmed' | 'unreachable' } & Confirmation)
  | ({ what: 'look'; outcome: 'shown' | 'unreachable' } & Pick<Confirmation, 'confirmation' | 'holder' | 'case'>)
  | ({ what: 'revoke'; outcome: 'begun' | 'sent' | 'refused' | 'unreachable' | 'unanswered' } & Attempt)
  | ({ what: 'revoke'; outcome: 'revoked'; receipt: string } & Attempt)
  | { what: 'revoke'; outcome: 'expired'; card: string | undefined; reason: RevocationReason };

export type Audit = {
  note: (agent: Agent, at: Date, step: Step) => Promise<void>;
  /** Whom the agent has confirmed by that name, since then. */
  confirmed: (
    agent: Agent,
    confirmation: string,
    since: Date,
  ) => Promise<{ holder: string; case: string | undefined } | undefined>;
  /** Whether another attempt on the errand was sent, and the ledger is not known to have done nothing. */
  mayHaveHappened: (attempt: Attempt) => Promise<boolean>;
};

/** As it is kept, by the names of its columns. */
export type AuditRow = Readonly<{ id: number } & Record<Column, string | Date | null>>;

const COLUMNS = [
  'at',
  'agent',
  'agent_name',
  'what',
  'outcome',
  'confirmation',
  'attempt',
  'holder',
  'way',
  'note',
  'card',
  'reason',
  'reference',
  'receipt',
  'case_id',
] as const;
type Column = (typeof COLUMNS)[number];

const add: Statement = {
  name: 'add-desk-audit',
  text: `insert into desk_audit (${COLUMNS.join(', ')}) values (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`,
};

const confirmedBy: Statement = {
  name: 'desk-confirmation',
  text: `select holder, case_id from desk_audit
    where what = 'confirm' and confirmation = $1 and agent = $2 and outcome = 'confirmed' and at > $3`,
};

const sentBefore: Statement = {
  name: 'desk-sent-before',
  text: `select from desk_audit sent
    where sent.reference = $1 and sent.attempt <> $2 and sent.outcome = 'sent' and not exists (
      select from desk_audit other
      where other.attempt = sent.attempt and other.outcome in ('refused', 'unreachable')
    )
    limit 1`,
};

const page: Statement = {
  name: 'page-desk-audit',
  text: `select id, ${COLUMNS.join(', ')} from desk_audit
    where id > $1 and at >= coalesce($2::timestamptz, '-infinity') order by id limit $3`,
};

const PAGE = 500;

export function createAudit(database: Database): Audit {
  return {
    async note(agent, at, { case: case_id, ...step }: Step & { case?: string | undefined }) {
      const row: Partial<Record<Column, unknown>> = { at, agent: agent.id, agent_name: agent.name, case_id, ...step };
      await database.run(
        add,
        COLUMNS.map((column) => row[column]),
      );
    },

    async confirmed(agent, confirmation, since) {
      const values = [confirmation, agent.id, since];
      const [row] = await database.run<{ holder: string; case_id: string | null }>(confirmedBy, values);
      return row && { holder: row.holder, case: row.case_id ?? undefined };
    },

    mayHaveHappened: async ({ reference, attempt }) =>
      (await database.run(sentBefore, [reference, attempt])).length > 0,
  };
}

/** Everything since then, in the order it was kept. */
export async function* auditSince(database: Database, since: Date | undefined): AsyncGenerator<AuditRow> {
  let rows: AuditRow[];
  let last = 0;
  do {
    rows = await database.run<AuditRow>(page, [last, since, PAGE]);
    for (const row of rows) {
      yield row;
      last = row.id;
    }
  } while (rows.length === PAGE);
}
