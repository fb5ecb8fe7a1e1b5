"""What the shop writes to its members."""

from datetime import timedelta

from storefront_api.users.domain import CODE_LIFE, Letter, Purpose, User


def letter_with(purpose: Purpose, user: User, secret: str) -> Letter:
    """The code rides behind a `#`: no server on the way gets to see or log it."""
    if purpose == "verify":
        return Letter(
            to=user.email,
            user_id=user.user_id,
            subject="Is this your e-mail address?",
            text=f"Hello {user.name},\n\nwelcome to the shop. Please confirm that this address is "
            f"yours; the link is good for {_words(CODE_LIFE[purpose])}. If you have not opened an "
            "account with us, there is nothing to do.",
            action="Confirm my address",
            path=f"/verify#{secret}",
        )
    return Letter(
        to=user.email,
        user_id=user.user_id,
        subject="Choose a new password",
        text=f"Hello {user.name},\n\nsomebody, hopefully you, has asked for a new password. The "
        f"link is good once, for {_words(CODE_LIFE[purpose])}. If it was not you, there is "
        "nothing to do: your password is as it was.",
        action="Choose a new password",
        path=f"/reset-password#{secret}",
    )


def password_changed(user: User) -> Letter:
    return Letter(
        to=user.email,
        user_id=user.user_id,
        subject="Your password was changed",
        text=f"Hello {user.name},\n\nthe password of your account was changed, and every other "
        "session has ended. If it was not you, choose a new one at once: anybody who has this "
        "mailbox can.",
        action="It was not me",
        path="/forgot-password",
    )


def _words(life: timedelta) -> str:
    return f"{life.days} days" if life.days else f"{life.seconds // 60} minutes"
