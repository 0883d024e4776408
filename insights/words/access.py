"""Words of signing in, and of the pages on which an admin says who may see what."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said, phrases

WORDS: dict[str, Said] = {
    # signing in
    **phrases({"Sign in": "登录", "Sign out": "退出", "Name": "姓名", "Password": "密码", "Access token": "访问令牌"}),
    "access.with": Said("Sign in with {provider}", "使用 {provider} 登录"),
    "access.or": Said("or", "或"),
    "access.wrong": Said("Name or password is not right.", "姓名或密码不正确。"),
    "access.token_wrong": Said("That token is not right, or was revoked.", "令牌不正确或已被撤销。"),
    "access.token_help": Said("Ask your administrator, or run `churnwatch web token` on the server.", "请向管理员索取，或在服务器上运行 `churnwatch web token`。"),
    "access.too_many": Said("Too many attempts. Try again in {duration}.", "尝试次数过多，请在 {duration}后重试。"),
    "access.expired": Said("Your session has ended. Sign in again to go on where you were.", "会话已结束。请重新登录，即可回到原来的页面。"),
    "access.provider_failed": Said("{provider} did not let you in. Try again, or ask your administrator.", "{provider} 未允许登录。请重试，或联系管理员。"),
    "access.no_role": Said("{provider} knows you, but nobody has given you access here yet. Ask your administrator.", "{provider} 已确认你的身份，但还没有人授予你访问权限。请联系管理员。"),
    "access.signed_in": Said("Signed in as {name}", "已登录：{name}"),
    "access.form_expired": Said("This form was open for too long. Send it again.", "表单已过期，请重新提交。"),
    # roles
    **phrases({"Role": "角色"}),
    "role.viewer": Said("Viewer", "查看者"),
    "role.viewer.is": Said("sees figures of the crowd, no person", "可看整体数字，看不到个人"),
    "role.analyst": Said("Analyst", "分析师"),
    "role.analyst.is": Said("sees persons too, and downloads lists", "还可查看个人并下载名单"),
    "role.admin": Said("Admin", "管理员"),
    "role.admin.is": Said("gives access, and sees who did what", "可授权，并可查看操作记录"),
    # people and tokens
    **phrases({
        "Access": "访问权限",
        "People with access": "有权访问的人",
        "Tokens": "令牌",
        "Token": "令牌",
        "Scopes": "权限范围",
        "Created": "创建时间",
        "Last used": "最近使用",
        "Revoke": "撤销",
        "Revoked": "已撤销",
        "Make a token": "创建令牌",
        "Give access": "授予权限",
        "Take access away": "取消权限",
    }),
    "access.token_once": Said("Copy it now: it is shown only this once.", "请立即复制：令牌只显示这一次。"),
    "access.token_for": Said("What is it for?", "用途是什么？"),
    "access.revoke_ask": Said("Revoke the token “{name}”? Programs that use it are refused at once.", "撤销令牌“{name}”？使用它的程序将立即被拒绝。"),
    "access.tokens.none": Said("No token so far. Programs need one to ask the API.", "还没有令牌。程序需要令牌才能访问 API。"),
    "scope.read": Said("read risks and lists", "读取风险与名单"),
    "scope.figures": Said("read figures of the crowd", "读取整体数字"),
    "scope.write": Said("send events", "发送事件"),
    # the audit log
    **phrases({"Audit log": "操作记录", "Who": "谁", "Did what": "做了什么", "When": "何时", "From": "来自"}),
    "audit.none": Said("Nothing has happened yet.", "暂无记录。"),
    "audit.login": Said("signed in", "登录"),
    "audit.login_failed": Said("was refused at sign-in", "登录被拒绝"),
    "audit.logout": Said("signed out", "退出"),
    "audit.token_made": Said("made the token “{what}”", "创建令牌“{what}”"),
    "audit.token_revoked": Said("revoked the token “{what}”", "撤销令牌“{what}”"),
    "audit.person_seen": Said("looked at a person", "查看了一名用户"),
    "audit.list_downloaded": Said("downloaded a list", "下载了名单"),
    "audit.role_changed": Said("changed the role of {what}", "更改了 {what} 的角色"),
}  # fmt: skip
"""Codes with a dot are sentences and closed sets; the other keys are their own English."""
