/** What the work on a poisoned object throws: its name in the message tells it from a defect. */
export const POISON = 'poisoned by the simulation';
