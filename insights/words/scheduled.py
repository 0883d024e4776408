"""Words of the reports and tables that come by themselves, as the page Data tells how they stand."""

# ruff: noqa: RUF001 - Chinese has a punctuation of its own
from __future__ import annotations

from insights.words.said import Said

WORDS: dict[str, Said] = {
    "data.reports": Said("Reports that come by themselves", "定时报告"),
    "data.reports.is": Said(
        "each goes to every recipient once; what failed is tried again six times", "每个收件人只收到一份；失败后会重试六次"
    ),
    "data.report": Said("Report", "报告"),
    "data.report.state": Said("How it stands", "状态"),
    "data.report.next": Said("Comes next", "下一次"),
    "data.report.new": Said("not due yet", "尚未到期"),
    "data.report.sent": Said("sent", "已发送"),
    "data.report.sent_late": Said("sent late", "已发送，但晚了"),
    "data.report.going": Said("being made", "正在生成"),
    "data.report.again": Said("failed, tried again soon", "发送失败，稍后重试"),
    "data.report.late": Said("late", "已晚"),
    "data.report.failed": Said("failed", "失败"),
    "data.report.unsure": Said("may not have arrived", "可能未送达"),
    "data.report.of": Said("{sent} of {n} have that of {moment}", "{moment} 的一期：{n} 个收件人中 {sent} 个已收到"),
    "data.report.because": Said(": {whys}", "：{whys}"),
    "data.report.why.connect": Said("the mail server cannot be reached", "无法连接邮件服务器"),
    "data.report.why.login": Said("the mail server refused the login", "邮件服务器拒绝了登录"),
    "data.report.why.sender": Said("the mail server refused the sender", "邮件服务器拒绝了发件人"),
    "data.report.why.recipient": Said("the mail server refused the recipient", "邮件服务器拒绝了收件人"),
    "data.report.why.message": Said("the mail server refused the message", "邮件服务器拒绝了邮件"),
    "data.report.why.folder": Said("the folder cannot be written", "无法写入文件夹"),
    "data.report.why.made": Said("the report could not be made, see the log", "报告无法生成，请查看日志"),
    "data.report.why.gone": Said("the connection or the process ended while it was sent", "发送途中连接或进程中断"),
    "data.report.why.database": Said("the database cannot be reached or refused", "数据库无法连接或拒绝了写入"),
    "data.report.why.columns": Said("the table in the database has other columns", "数据库中的表有不同的列"),
    "data.tables": Said("Tables for other programs", "供其他程序使用的表"),
    "data.tables.is": Said(
        "each is made anew in its place, once a period; what failed is tried again six times",
        "每期重新生成一次，替换原来的；失败后会重试六次",
    ),
    "data.table": Said("Table", "表"),
    "data.table.sent": Said("written", "已写入"),
    "data.table.sent_late": Said("written late", "已写入，但晚了"),
    "data.table.again": Said("failed, tried again soon", "写入失败，稍后重试"),
    "data.table.of": Said("{sent} of {n} places have that of {moment}", "{moment} 的一期：{n} 处中 {sent} 处已写入"),
    "data.table.why.made": Said("there is no answer to its question, see the log", "问题没有得到答案，请查看日志"),
    "data.table.why.gone": Said("the process ended while it was written", "写入途中进程中断"),
}
