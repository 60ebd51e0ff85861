/**
 * A plan as the outcome of a command.
 *
 * @module
 */

import type { Plan } from "../migration/plan.ts";
import type { Outcome } from "./command.ts";
import { planData } from "./json_output.ts";
import { renderPlan } from "./render.ts";
import type { Style } from "./style.ts";
import { toldProblem } from "./told.ts";

/**
 * Shows a plan; one with problems fails, as the run would. The statements are shown exactly, with
 * passwords that they hold: a plan is what is looked through before it is run.
 */
export function planOutcome(
  { migrations, problems }: Plan,
  style: Style,
): Outcome {
  const plan = { migrations, problems: problems.map(toldProblem) };
  return {
    code: problems.length === 0 ? 0 : 1,
    text: renderPlan(plan, style),
    data: planData(plan),
  };
}
