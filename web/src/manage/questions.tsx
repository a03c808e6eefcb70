import { create } from "@bufbuild/protobuf";
import { Plus, Trash2, X } from "lucide-react";
import type { ReactNode } from "react";

import {
  type OnboardingAnswer,
  OnboardingAnswerSchema,
  type OnboardingQuestion,
  OnboardingQuestionSchema,
} from "@creavio/client/community/v1/onboarding";
import { RoleKind } from "@creavio/client/rbac/v1/role";
import { Nothing, Section } from "@/settings/page";
import { Switch } from "@/settings/parts";
import { Picker } from "@/settings/picker";
import { Button, Field, IconButton } from "@/ui/parts";

import { useKept } from "./managing";
import { Swatch, useRoleName } from "./parts";
import { useSay } from "./texts";

const most = { questions: 8, answers: 16, roles: 5 } as const;

interface QuestionsProps {
  readonly questions: readonly OnboardingQuestion[];
  /** What is wrong, by where it is in the contract. */
  readonly errors: Readonly<Record<string, string>>;
  readonly onChange: (questions: OnboardingQuestion[]) => void;
}

/** What newcomers are asked, and which roles their answers give. */
export function Questions({ questions, errors, onChange }: QuestionsProps): ReactNode {
  const say = useSay();
  const put = (at: number, change: Partial<OnboardingQuestion>): void =>
    onChange(questions.map((one, here) => (here === at ? { ...one, ...change } : one)));
  const ask = (): void =>
    onChange([...questions, create(OnboardingQuestionSchema, { answers: [create(OnboardingAnswerSchema, {}), create(OnboardingAnswerSchema, {})] })]);
  return (
    <Section title={say("questions.title")} lead={say("questions.hint")}>
      {questions.length === 0 && <Nothing>{say("questions.none")}</Nothing>}
      <ol className="grid gap-3">
        {questions.map((question, at) => (
          <li key={at} className="grid gap-3 rounded-card bg-sunken p-3">
            <div className="flex items-end gap-1.5">
              <Field
                className="grow"
                label={say("questions.question", { number: at + 1 })}
                maxLength={100}
                value={question.title}
                error={errors[`questions[${at}].title`]}
                onChange={(event) => put(at, { title: event.target.value })}
              />
              <IconButton label={say("questions.remove", { number: at + 1 })} onClick={() => onChange(questions.toSpliced(at, 1))}>
                <Trash2 size={16} aria-hidden />
              </IconButton>
            </div>
            <ul className="grid gap-2.5">
              {question.answers.map((answer, here) => (
                <Answer
                  key={here}
                  answer={answer}
                  number={here + 1}
                  question={question.title}
                  error={errors[`questions[${at}].answers[${here}].title`] ?? errors[`questions[${at}].answers[${here}].role_ids`]}
                  onChange={(changed) => put(at, { answers: question.answers.map((one, other) => (other === here ? changed : one)) })}
                  onRemove={question.answers.length > 1 ? () => put(at, { answers: question.answers.toSpliced(here, 1) }) : undefined}
                />
              ))}
            </ul>
            {question.answers.length < most.answers && (
              <Button look="quiet" className="justify-self-start" onClick={() => put(at, { answers: [...question.answers, create(OnboardingAnswerSchema, {})] })}>
                <Plus size={16} aria-hidden /> {say("questions.addAnswer")}
              </Button>
            )}
            <Switch label={say("questions.multiple")} checked={question.multiple} onChange={(multiple) => put(at, { multiple })} />
            <Switch label={say("questions.required")} checked={question.required} onChange={(required) => put(at, { required })} />
          </li>
        ))}
      </ol>
      {questions.length < most.questions && (
        <Button className="justify-self-start" onClick={ask}>
          <Plus size={16} aria-hidden /> {say("questions.add")}
        </Button>
      )}
    </Section>
  );
}

interface AnswerProps {
  readonly answer: OnboardingAnswer;
  readonly number: number;
  readonly question: string;
  readonly error: string | undefined;
  readonly onChange: (answer: OnboardingAnswer) => void;
  readonly onRemove: (() => void) | undefined;
}

function Answer({ answer, number, question, error, onChange, onRemove }: AnswerProps): ReactNode {
  const say = useSay();
  const roles = useKept((kept) => kept.roles);
  const nameOf = useRoleName();
  const given = roles.filter((one) => answer.roleIds.includes(one.id));
  const offered = roles.filter((one) => one.kind === RoleKind.CUSTOM && !answer.roleIds.includes(one.id));
  const give = (roleIds: string[]): void => onChange({ ...answer, roleIds });
  return (
    <li className="grid gap-1.5 border-s-2 border-line-strong ps-3">
      <div className="flex items-end gap-1.5">
        <Field
          className="grow"
          label={say("questions.answer", { number, question })}
          maxLength={50}
          value={answer.title}
          error={error}
          onChange={(event) => onChange({ ...answer, title: event.target.value })}
        />
        {onRemove !== undefined && (
          <IconButton label={say("questions.removeAnswer", { number, question })} onClick={onRemove}>
            <X size={16} aria-hidden />
          </IconButton>
        )}
      </div>
      <div className="flex flex-wrap items-center gap-1.5 text-13 text-muted">
        {say("questions.gives")}
        {given.map((role) => (
          <button
            key={role.id}
            type="button"
            aria-label={say("questions.takeRole", { role: nameOf(role) })}
            onClick={() => give(answer.roleIds.filter((one) => one !== role.id))}
            className="inline-flex min-h-7.5 items-center gap-1.5 rounded-[9px] bg-overlay px-2.25 font-medium text-text shadow-[inset_0_0_0_1px_var(--line)] max-mid:min-h-10"
          >
            <Swatch role={role} /> {nameOf(role)} <X size={14} strokeWidth={2} aria-hidden className="text-faint" />
          </button>
        ))}
        {offered.length > 0 && given.length < most.roles && (
          <Picker
            label={say("questions.addRole")}
            value=""
            options={offered.map((one) => ({ value: one.id, title: nameOf(one), sign: <Swatch role={one} /> }))}
            onPick={(id) => give([...answer.roleIds, id])}
          />
        )}
      </div>
    </li>
  );
}
