/** What keeps the product from starting that whoever runs it can mend, and the exit code each has. */
const exitCodes = {
  settingsAreWrong: 10,
  databaseCannotBeReached: 11,
  databaseIsBroken: 12,
  diskIsFull: 13,
  portIsTaken: 14,
  isOpenAlready: 15,
} as const;

export type StartupProblemKind = keyof typeof exitCodes;

/** Its message is one sentence that says what is wrong and what to do. It holds no secret. */
export class StartupProblem extends Error {
  readonly exitCode: number;

  constructor(kind: StartupProblemKind, message: string) {
    super(message);
    this.exitCode = exitCodes[kind];
  }
}
