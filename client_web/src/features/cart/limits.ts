/** As the cart's contract has it. */
export const MAX_PER_LINE = 99;
