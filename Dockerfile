# A fixed patch release. Whoever builds for production pins its digest too: python:3.11.13-slim-bookworm@sha256:...
ARG PYTHON=python:3.11.13-slim-bookworm
FROM ${PYTHON} AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY features features
COPY online_models online_models
COPY stream stream
COPY insights insights
COPY churnwatch churnwatch
RUN /venv/bin/pip install --no-cache-dir --no-deps . && NUMBA_CACHE_DIR=/numba /venv/bin/python -m stream.processes.warm && NUMBA_CACHE_DIR=/numba /venv/bin/python -m online_models.warm && NUMBA_CACHE_DIR=/numba /venv/bin/python -m features.files.warm

FROM ${PYTHON}
# a number of its own, so that files in volumes can be meant for it; /keys, /page and /history belong to it when a volume is first put there
RUN useradd --uid 10001 --no-create-home churnwatch && install --directory --owner=churnwatch --mode=0700 /keys /page /history
COPY --from=build /venv /venv
COPY --from=build --chown=churnwatch /numba /numba
ENV PATH=/venv/bin:$PATH NUMBA_CACHE_DIR=/numba PYTHONUNBUFFERED=1
USER churnwatch
EXPOSE 6066 6069 6080
CMD ["churnwatch", "run"]
