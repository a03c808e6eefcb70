import { ShieldCheck } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";

import { RegistrationMode } from "@creavio/client/auth/v1/registration";
import { currentLanguage, languages, type Language, speak, useSay } from "@/i18n";
import { go } from "@/route";
import { useSession } from "@/ui/context";
import { useMutation } from "@/ui/mutation";
import { Button, classes, Field, Mark, Wrong } from "@/ui/parts";
import { passkeysWork } from "@/ui/passkeys";

import { ByPasskey, ByProviders } from "./ways";

const errands = {
  "sign-in": SignIn,
  "sign-up": SignUp,
  "forgot-password": ForgotPassword,
  "reset-password": ResetPassword,
  "verify-email": VerifyEmail,
} as const;

/** What one can want at the door. */
export type Errand = keyof typeof errands;

export function isErrand(at: string): at is Errand {
  return at in errands;
}

/** Where one comes in: signing in, or making an account. */
export function Door({ as }: { readonly as: Errand }): ReactNode {
  const Errand = errands[as];
  return (
    <DoorFrame>
      <Errand />
    </DoorFrame>
  );
}

/** What surrounds whatever is asked at the door. */
export function DoorFrame({ children }: { readonly children: ReactNode }): ReactNode {
  const say = useSay();
  return (
    <div className="grid min-h-dvh bg-raised wide:grid-cols-[minmax(0,1fr)_minmax(0,44%)]">
      <main className="flex min-w-0 flex-col px-5 py-5 mid:px-10 mid:py-7">
        <p className="flex items-center gap-2.5 font-display text-20 font-bold tracking-[-0.02em]">
          <Mark /> {say("app.name")}
        </p>
        <div className="mx-auto grid w-full max-w-[24rem] grow content-center gap-4 py-6">{children}</div>
        <footer className="flex flex-wrap items-center gap-x-6 gap-y-1.5 text-12 text-muted">
          <span className="flex items-center gap-2">
            <ShieldCheck size={14} strokeWidth={2} aria-hidden /> {say("door.promise")}
          </span>
          <label className="ms-auto flex items-center gap-1.5">
            <span className="sr-only">{say("you.language")}</span>
            <select
              className="min-h-6 bg-transparent"
              value={currentLanguage()}
              onChange={(event) => void speak(event.target.value as Language)}
            >
              {Object.entries(languages).map(([code, name]) => (
                <option key={code} value={code} lang={code}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </footer>
      </main>
      <aside className="hidden p-3 ps-0 wide:block">
        <div className="relative grid h-full place-items-center overflow-hidden rounded-card bg-accent-soft">
          <Ring />
          <p className="absolute start-10 bottom-9 font-display text-26 font-bold tracking-[-0.02em]">
            {say("door.line1")}
            <br />
            {say("door.line2")}
          </p>
        </div>
      </aside>
    </div>
  );
}

function Ring(): ReactNode {
  return (
    <svg viewBox="0 0 400 400" className="w-[72%] max-w-105" aria-hidden>
      <path
        d="M298 132A120 120 0 1 0 298 268"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="26"
        strokeLinecap="round"
      />
      <circle cx="342" cy="200" r="30" fill="var(--mention)" />
      {[70, 115, 160, 205, 250, 295].map((angle, at) => {
        const turn = (angle * Math.PI) / 180;
        return (
          <circle
            key={angle}
            className={classes("fill-hue-mid", `hue-${at * 2}`)}
            cx={200 + 190 * Math.cos(turn) * 0.95}
            cy={200 - 190 * Math.sin(turn) * 0.95}
            r="26"
          />
        );
      })}
    </svg>
  );
}

export function Title({ title, lead }: { readonly title: string; readonly lead: string }): ReactNode {
  return (
    <div className="grid gap-1.5">
      <h1 className="font-display text-36 font-bold tracking-[-0.025em] [overflow-wrap:anywhere]">{title}</h1>
      {lead !== "" && <p className="text-15 text-muted">{lead}</p>}
    </div>
  );
}

function Other({ ask, to, children }: { readonly ask: string; readonly to: Errand; readonly children: string }): ReactNode {
  return (
    <p className="text-center text-14 text-muted">
      {ask}{" "}
      <To errand={to}>{children}</To>
    </p>
  );
}

function To({ errand, children }: { readonly errand: Errand; readonly children: string }): ReactNode {
  return (
    <a
      href={`/${errand}`}
      className="text-accent-text underline underline-offset-3"
      onClick={(event) => {
        event.preventDefault();
        go({ at: errand });
      }}
    >
      {children}
    </a>
  );
}

function SignIn(): ReactNode {
  const say = useSay();
  const session = useSession();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [challenge, setChallenge] = useState("");
  const first = useMutation(async () => setChallenge(await session.signIn(login, password)), {
    WRONG_CREDENTIALS: "signIn.wrong",
  });
  if (challenge !== "") return <SecondStep challenge={challenge} />;
  const byPasskey = passkeysWork();
  return (
    <form className="grid gap-4" onSubmit={first.submit}>
      <Title title={say("signIn.title")} lead={say("signIn.lead", { host: location.host })} />
      {byPasskey && <ByPasskey />}
      <Field
        label={say("signIn.login")}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={login}
        onChange={(event) => setLogin(event.target.value)}
      />
      <Field
        label={say("signIn.password")}
        type="password"
        autoComplete="current-password"
        required
        value={password}
        error={first.error}
        onChange={(event) => setPassword(event.target.value)}
      />
      <p className="-mt-2 text-end text-13">
        <To errand="forgot-password">{say("signIn.forgot")}</To>
      </p>
      <Button type="submit" look={byPasskey ? "plain" : "primary"} big disabled={first.busy}>
        {say("signIn.submit")}
      </Button>
      <ByProviders />
      <Other ask={say("signIn.new")} to="sign-up">
        {say("signIn.toSignUp")}
      </Other>
    </form>
  );
}

interface SecondStepProps {
  readonly challenge: string;
  readonly onDone?: () => void;
}

/** The code that is asked for besides. */
export function SecondStep({ challenge, onDone }: SecondStepProps): ReactNode {
  const say = useSay();
  const session = useSession();
  const [code, setCode] = useState("");
  const done = useMutation(
    async () => {
      await session.complete(challenge, code.trim());
      onDone?.();
    },
    { WRONG_CODE: "signIn.wrongCode", INVALID_CHALLENGE: "signIn.overCode" },
  );
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Title title={say("signIn.code")} lead={say("signIn.codeLead")} />
      <Field
        label={say("signIn.code")}
        autoComplete="one-time-code"
        autoFocus
        required
        value={code}
        error={done.error}
        onChange={(event) => setCode(event.target.value)}
      />
      <Button type="submit" look="primary" big disabled={done.busy}>
        {say("signIn.submit")}
      </Button>
    </form>
  );
}

const nobody = { handle: "", displayName: "", email: "", password: "", signUpCode: "" };

function SignUp(): ReactNode {
  const say = useSay();
  const session = useSession();
  return <SignUpForm lead={say("signUp.lead", { host: location.host })} make={(wanted) => session.signUp(wanted)} password />;
}

interface SignUpFormProps {
  readonly lead: string;
  readonly make: (wanted: typeof nobody) => Promise<void>;
  /** Whether one is chosen here. */
  readonly password?: boolean;
}

/** What is asked of who makes an account. */
export function SignUpForm({ lead, make, password = false }: SignUpFormProps): ReactNode {
  const say = useSay();
  const session = useSession();
  const [wanted, setWanted] = useState(nobody);
  const [mode, setMode] = useState(RegistrationMode.OPEN);
  useEffect(() => {
    // Whether a code is wanted; when that cannot be known, signing up says so.
    session.api.registration.getRegistration({}).then(
      (registration) => setMode(registration.mode),
      () => {},
    );
  }, [session]);
  const done = useMutation(() => make(wanted), {
    HANDLE_TAKEN: "signUp.handleTaken",
    SIGN_UP_CODE_REFUSED: "signUp.codeRefused",
    INVALID_PROVIDER_ANSWER: "signUp.over",
  });
  const field = (name: keyof typeof wanted) => ({
    value: wanted[name],
    error: done.fields[name === "displayName" ? "display_name" : name === "signUpCode" ? "sign_up_code" : name],
    onChange: (event: { target: { value: string } }) => setWanted({ ...wanted, [name]: event.target.value }),
  });
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Title title={say("signUp.title")} lead={lead} />
      {mode === RegistrationMode.CLOSED && <p role="status">{say("signUp.closed")}</p>}
      {mode === RegistrationMode.INVITE && (
        <Field label={say("signUp.code")} hint={say("signUp.codeHint")} required {...field("signUpCode")} />
      )}
      <Field label={say("signUp.displayName")} autoComplete="name" required maxLength={64} {...field("displayName")} />
      <Field
        label={say("signUp.handle")}
        hint={say("signUp.handleHint")}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        minLength={2}
        maxLength={32}
        {...field("handle")}
      />
      <Field label={say("signUp.email")} type="email" autoComplete="email" required {...field("email")} />
      {password && (
        <Field
          label={say("signUp.password")}
          hint={say("signUp.passwordHint")}
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          {...field("password")}
        />
      )}
      <Wrong>{done.error}</Wrong>
      <Button type="submit" look="primary" big disabled={done.busy || mode === RegistrationMode.CLOSED}>
        {say("signUp.submit")}
      </Button>
      <Other ask={say("signUp.known")} to="sign-in">
        {say("signUp.toSignIn")}
      </Other>
    </form>
  );
}

function ForgotPassword(): ReactNode {
  const say = useSay();
  const session = useSession();
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  const done = useMutation(async () => {
    await session.api.passwords.requestPasswordReset({ email });
    setSent(true);
  });
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Title title={say("forgot.title")} lead={say("forgot.lead")} />
      <Field
        label={say("signUp.email")}
        type="email"
        autoComplete="email"
        required
        value={email}
        error={done.error}
        onChange={(event) => setEmail(event.target.value)}
      />
      <p role="status" className="text-positive empty:hidden">
        {sent ? say("forgot.sent") : ""}
      </p>
      <Button type="submit" look="primary" big disabled={done.busy}>
        {say("forgot.submit")}
      </Button>
      <Other ask={say("signUp.known")} to="sign-in">
        {say("signUp.toSignIn")}
      </Other>
    </form>
  );
}

/** What a link in a mail carries, where no server sees it. */
function tokenOfLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

function ResetPassword(): ReactNode {
  const say = useSay();
  const session = useSession();
  const [token] = useState(tokenOfLink);
  const [newPassword, setNewPassword] = useState("");
  const [changed, setChanged] = useState(false);
  const done = useMutation(async () => {
    await session.api.passwords.resetPassword({ token, newPassword });
    setChanged(true);
  }, { INVALID_LINK: "reset.over" });
  return (
    <form className="grid gap-4" onSubmit={done.submit}>
      <Title title={say("reset.title")} lead={say(changed ? "reset.done" : "reset.lead")} />
      {changed || (
        <>
          <Field
            label={say("signIn.password")}
            hint={say("signUp.passwordHint")}
            type="password"
            autoComplete="new-password"
            required
            minLength={8}
            value={newPassword}
            error={done.fields["new_password"] ?? done.error}
            onChange={(event) => setNewPassword(event.target.value)}
          />
          <Button type="submit" look="primary" big disabled={done.busy}>
            {say("reset.submit")}
          </Button>
        </>
      )}
      <Other ask={say("signUp.known")} to="sign-in">
        {say("signUp.toSignIn")}
      </Other>
    </form>
  );
}

function VerifyEmail(): ReactNode {
  const say = useSay();
  const session = useSession();
  const [token] = useState(tokenOfLink);
  const [done, setDone] = useState(false);
  const verified = useMutation(
    async () => {
      await session.api.emails.verifyEmail({ token });
      setDone(true);
    },
    { INVALID_LINK: "verify.over" },
  );
  // Whoever reads mail for its owner opens links; only a person presses a button.
  return (
    <div className="grid gap-4">
      <Title title={say("verify.title")} lead={say(done ? "verify.done" : "verify.lead")} />
      <Wrong>{verified.error}</Wrong>
      {done ? (
        <Button big onClick={() => go({ at: "home" })}>
          {say("verify.on")}
        </Button>
      ) : (
        <Button look="primary" big disabled={verified.busy} onClick={() => verified.submit()}>
          {say("verify.submit")}
        </Button>
      )}
    </div>
  );
}
