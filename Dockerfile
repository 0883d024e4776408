FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY features features
COPY online_models online_models
COPY stream stream
RUN /venv/bin/pip install --no-cache-dir --no-deps . && NUMBA_CACHE_DIR=/numba /venv/bin/python -m stream.processes.warm && NUMBA_CACHE_DIR=/numba /venv/bin/python -m online_models.warm && NUMBA_CACHE_DIR=/numba /venv/bin/python -m features.files.warm

FROM python:3.11-slim
RUN useradd --system --no-create-home churnwatch
COPY --from=build /venv /venv
COPY --from=build --chown=churnwatch /numba /numba
ENV PATH=/venv/bin:$PATH NUMBA_CACHE_DIR=/numba PYTHONUNBUFFERED=1
USER churnwatch
EXPOSE 6066
CMD ["churnwatch", "run"]
